// What the page shows. What people write gets in as text, never as HTML.

export const $ = (id) => document.getElementById(id);

export function element(tag, className, ...children) {
  const made = document.createElement(tag);
  if (className) made.className = className;
  made.append(...children);
  return made;
}

const TOGETHER = 120_000; // ms in which messages of one person stand under one name
const NEAR_END = 60; // px

const log = $('log');
const isAtEnd = () => log.scrollHeight - log.scrollTop - log.clientHeight < NEAR_END;
const toEnd = () => {
  log.scrollTop = log.scrollHeight;
};
let follows = true; // unless the reader has scrolled up
log.addEventListener('scroll', () => {
  follows = isAtEnd();
});
new ResizeObserver(() => follows && toEnd()).observe(log);

const clock = (at) => new Date(at).toLocaleTimeString([], { hour: '2-digit', minute: '2-digit' });

function face(person) {
  const letters = person.name.split(' ').map((word) => [...word][0] ?? '');
  const made = element('span', 'face', letters.slice(0, 2).join('').toUpperCase());
  const hue = [...person.who].reduce((sum, letter) => (sum * 31 + letter.codePointAt(0)) % 360, 0);
  made.style.setProperty('--hue', hue);
  made.setAttribute('aria-hidden', 'true');
  return made;
}

function messageElement(message, before, isOwn) {
  const { id, who, name, text, at } = message;
  const made = element('article', isOwn ? 'message own' : 'message');
  made.dataset.id = id;
  const isFirst = before?.who !== who || at - before.at > TOGETHER;
  if (isFirst) made.classList.add('first');
  if (isFirst && !isOwn) made.append(face(message), element('p', 'name', name));
  made.append(element('p', 'text', text), element('p', 'mark'));
  mark(made, message, isOwn);
  return made;
}

/** Under a message: when, and of one's own also what has become of it. */
function mark(made, { at, refused, delay, isSent }, isOwn) {
  const place = made.querySelector('.mark');
  made.dataset.sent = isSent === false ? (refused ? 'refused' : 'waiting') : 'yes';
  if (refused) place.textContent = `Not sent: ${refused}`;
  else if (isSent === false) place.textContent = delay ? 'Not sent yet, trying again…' : 'Sending…';
  else place.textContent = isOwn ? `${clock(at)} · sent` : clock(at);
}

export function showMessages(messages, me) {
  log.replaceChildren(
    ...messages.map((each, i) => messageElement(each, messages[i - 1], each.who === me)),
  );
  if (messages.length === 0)
    log.append(element('p', 'empty soft', 'Nobody has said anything yet.'));
  follows = true;
  toEnd();
}

export function addMessage(message, before, isOwn) {
  log.querySelector('.empty')?.remove();
  log.append(messageElement(message, before, isOwn));
  if (follows || isOwn) toEnd();
}

export function changeMessage(message) {
  const made = log.querySelector(`[data-id="${CSS.escape(message.id)}"]`);
  if (made) mark(made, message, true);
  if (follows) toEnd();
}

export function showRooms(rooms, open, enter) {
  const buttons = [...rooms.values()].map(({ name, unread }) => {
    const button = element('button', '', element('span', '', name));
    button.type = 'button';
    button.setAttribute('aria-current', String(name === open));
    if (unread > 0) {
      const badge = element('span', 'badge', unread > 99 ? '99+' : String(unread));
      badge.append(element('span', 'sr', ' unread'));
      button.append(badge);
    }
    button.addEventListener('click', () => enter(name));
    return element('li', '', button);
  });
  // The keyboard stays where it was.
  const at = [...$('rooms').children].findIndex((each) => each.contains(document.activeElement));
  $('rooms').replaceChildren(...buttons);
  if (at >= 0) $('rooms').children[at]?.firstElementChild.focus();
}

export function showPeople(here, me) {
  const people = [...here.values()].sort(
    (a, b) => (b.who === me) - (a.who === me) || a.name.localeCompare(b.name),
  );
  $('people').replaceChildren(
    ...people.slice(0, 100).map((person) => {
      const line = element('li', '', face(person), element('span', 'name', person.name));
      if (person.who === me) line.append(element('span', 'soft small', 'you'));
      return line;
    }),
  );
  $('count').textContent = people.length;
  $('who').textContent = `${people.length} here`;
}

export function showTyping(names) {
  const shown = names.length > 3 ? [...names.slice(0, 3), 'others'] : names;
  const list = [shown.slice(0, -1).join(', '), ...shown.slice(-1)].filter(Boolean).join(' and ');
  const verb = names.length === 1 ? 'is' : 'are';
  $('typing').textContent = names.length ? `${list} ${verb} typing` : '';
  $('typing').classList.toggle('busy', names.length > 0);
}

export function showState(state) {
  const words = { live: 'Live', connecting: 'Connecting…' };
  $('state').dataset.state = state;
  $('state').textContent = words[state];
}
