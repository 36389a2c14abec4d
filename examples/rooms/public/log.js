// The list of one room: messages { from, text, at, own } and lines { text } or { phrases } about the room.
// It stays at its end, whatever grows or shrinks, unless the reader has scrolled up.

import { $, avatar, element } from './dom.js';

export const KEPT_ITEMS = 300;
const PAUSE = 300_000; // after which the same person's next message shows the name again

const log = $('log');
let following = true;
let lastTop = 0;

export function showLog(items, hint) {
  log.replaceChildren(...items.map((item, i) => itemElement(item, items[i - 1])));
  if (!items.some((item) => item.from)) log.append(hint);
  toLatest();
}

export function appendToLog(item, before) {
  const hint = log.querySelector('.empty');
  if (hint && item.from) hint.remove();
  log.insertBefore(itemElement(item, before), item.from ? null : hint);
  if (log.childElementCount > KEPT_ITEMS) log.firstElementChild.remove();
  if (following || item.own) toLatest();
  else if (item.from) $('latest').hidden = false;
}

export function changeLastLine(item) {
  [...log.querySelectorAll('.line')].at(-1).textContent = lineText(item);
}

function itemElement(item, before) {
  if (!item.from) return element('p', 'line', lineText(item));
  const text = element('p', 'text', item.text);
  const made = element('article', item.own ? 'message own' : 'message');
  if (before?.from === item.from && item.at - before.at < PAUSE) {
    made.classList.add('more');
    made.append(element('div', 'body', text));
  } else {
    const head = element('p', 'who', element('span', 'name', item.from), timeElement(item.at));
    made.append(avatar(item.from), element('div', 'body', head, text));
  }
  return made;
}

function timeElement(at) {
  const date = new Date(at);
  const shown = date.toLocaleTimeString([], { hour: '2-digit', minute: '2-digit' });
  const made = element('time', '', shown);
  made.dateTime = date.toISOString();
  return made;
}

function lineText({ text, phrases }) {
  return text ?? phrases.map(({ who, what }) => `${who} ${what}`).join(' · ');
}

function toLatest() {
  following = true;
  log.scrollTop = log.scrollHeight;
  $('latest').hidden = true;
}

log.addEventListener('scroll', () => {
  const atEnd = log.scrollHeight - log.scrollTop - log.clientHeight < 48;
  if (atEnd) following = true;
  else if (log.scrollTop < lastTop) following = false;
  lastTop = log.scrollTop;
  if (following) $('latest').hidden = true;
});
new ResizeObserver(() => {
  if (following) toLatest();
}).observe(log);
$('latest').addEventListener('click', toLatest);
