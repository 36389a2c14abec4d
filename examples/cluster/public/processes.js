// The cards of the processes. Each process says once a second that it is alive.

import { element } from './dom.js';

const SILENCE = 2_500; // ms
const SHOWN = 8; // numbers of each

const duration = (ms) => {
  const s = Math.max(0, Math.floor(ms / 1_000));
  return s < 60 ? `${s} s` : `${Math.floor(s / 60)} min ${s % 60} s`;
};

class Card {
  constructor(name, kill) {
    this.run = null; // what the process last said of itself
    this.heardAt = 0;
    this.isSilent = false;
    this._detail = element('p', { className: 'detail', textContent: 'not heard yet' });
    this._strip = element('p', { className: 'strip' });
    this._strip.setAttribute('aria-label', `The last numbers of process ${name}`);
    this._tabs = element('span', { className: 'soft small numbers' });
    this._kill = element('button', {
      type: 'button',
      className: 'button small',
      textContent: 'kill -9',
    });
    this._kill.setAttribute('aria-label', `kill -9 process ${name}`);
    this._kill.addEventListener('click', () => kill(name));
    const title = element('h3', { textContent: `Process ${name}` });
    this._here = element('span', { className: 'badge', textContent: 'this tab' });
    this.node = element('li', { className: 'card process' }, [
      element('header', {}, [
        element('span', { className: 'letter', textContent: name, ariaHidden: 'true' }),
        element('div', { className: 'grow' }, [title, this._detail]),
        this._here,
      ]),
      this._strip,
      element('footer', {}, [this._tabs, this._kill]),
    ]);
    this.node.dataset.name = name;
    this.serve(false);
  }

  serve(isHere) {
    this.node.toggleAttribute('data-here', isHere);
    this._here.hidden = !isHere;
  }

  allow(canKill) {
    this._kill.hidden = !canKill;
  }

  showTabs(count) {
    this._tabs.textContent = `${count} ${count === 1 ? 'tab' : 'tabs'}`;
  }

  push({ n, since }, { missing, isReplayed }) {
    if (this._since !== since) this._strip.replaceChildren(); // it has begun anew, and so have its numbers
    this._since = since;
    if (missing > 0) this._chip(`${missing} missing`, 'missing');
    this._chip(n, isReplayed ? 'replayed' : '');
    while (this._strip.children.length > SHOWN) this._strip.firstChild.remove();
  }

  _chip(text, kind) {
    const chip = element('span', { className: 'chip', textContent: text });
    chip.dataset.kind = kind;
    this._strip.append(chip);
  }

  show(now, clock) {
    if (this.run === null) return;
    const { pid, since } = this.run;
    const silence = now - this.heardAt;
    this.isSilent = silence > SILENCE;
    this.node.toggleAttribute('data-silent', this.isSilent);
    this._kill.disabled = this.isSilent;
    this._detail.textContent = this.isSilent
      ? `pid ${pid} · silent for ${duration(silence)}`
      : `pid ${pid} · up for ${duration(now + clock - since)}`;
  }
}

export class Processes {
  constructor(list, kill) {
    this._list = list;
    this._kill = kill;
    this._cards = new Map();
    this._clock = 0; // what the server's clock is ahead of ours
    this._isOn = false; // without a connection nobody can be heard
  }

  _card(name) {
    if (!this._cards.has(name)) {
      const card = new Card(name, this._kill);
      this._cards.set(name, card);
      this._list.append(card.node);
    }
    return this._cards.get(name);
  }

  /** A connection to one of them. */
  welcome({ process, pid, since, names, at, canKill }) {
    this._clock = at - Date.now();
    this._isOn = true;
    for (const name of names) {
      const card = this._card(name);
      card.serve(name === process);
      card.allow(canKill);
      card.heardAt = Date.now();
    }
    this._card(process).run = { pid, since };
  }

  left() {
    this._isOn = false;
    for (const card of this._cards.values()) card.serve(false);
  }

  /** @returns {string|null} news, if it is another run of that process */
  heard({ process, pid, since }) {
    const card = this._card(process);
    const { run, isSilent } = card;
    card.run = { pid, since };
    card.heardAt = Date.now();
    card.show(Date.now(), this._clock);
    if (run !== null && run.since !== since) return `Process ${process} is back, with pid ${pid}.`;
    return isSilent ? `Process ${process} is heard again.` : null;
  }

  took(message, how) {
    this._card(message.process).push(message, how);
  }

  /** @returns {number} of all */
  showTabs(counts) {
    for (const [name, count] of Object.entries(counts)) this._card(name).showTabs(count);
    return Object.values(counts).reduce((sum, count) => sum + count, 0);
  }

  /** @returns {string[]} who has fallen silent */
  look() {
    const news = [];
    if (!this._isOn) return news;
    for (const [name, card] of this._cards) {
      const before = card.isSilent;
      card.show(Date.now(), this._clock);
      if (card.isSilent && !before) news.push(`Process ${name} is silent.`);
    }
    return news;
  }
}
