// The page behind the chat: one EventSource brings everything, POST requests take words up.

import { Outbox } from './outbox.js';
import * as view from './view.js';

const { $ } = view;
const KEPT = 300; // messages of a room
const TYPING_SHOWN = 4_000; // ms after the last sign
const TYPING_TOLD = 2_000; // ms between two signs
const REFUSED_WAIT = 3_000;

const rooms = new Map(); // name → { name, topic, messages, typing: Map of who → timer, unread, draft }
const here = new Map(); // who → { who, name }
let me = { who: '', name: '' };
let open = location.hash.slice(1);

// ---- The stream --------------------------------------------------------------------------------

const handlers = {
  /** Everything there is to know: on the first visit, and when the server cannot send what was missed. */
  state({ you, rooms: topics, here: people, messages }) {
    setMe(you);
    here.clear();
    for (const person of people) here.set(person.who, person);
    for (const [name, topic] of Object.entries(topics)) {
      const before = rooms.get(name) ?? { unread: 0, draft: '', messages: [] };
      const unsent = before.messages.filter(({ isSent }) => isSent === false);
      const known = messages.filter(({ room }) => room === name);
      const ids = new Set(known.map(({ id }) => id));
      rooms.set(name, {
        ...before,
        name,
        topic,
        typing: new Map(),
        messages: [...known, ...unsent.filter(({ id }) => !ids.has(id))],
      });
      for (const id of ids) outbox.confirm(id);
    }
    if (!rooms.has(open)) open = [...rooms.keys()][0];
    view.showPeople(here, me.who);
    showRoom();
  },
  message(message) {
    stopTyping(message.room, message.who);
    const { messages } = rooms.get(message.room);
    const mine = messages.find(({ id }) => id === message.id);
    if (mine) return settle(message.id, { sent: true, at: message.at }); // here already: we have said it
    add(message);
    if (message.room !== open || document.hidden) rooms.get(message.room).unread += 1;
    showRooms();
  },
  typing({ room, who }) {
    const { typing } = rooms.get(room);
    clearTimeout(typing.get(who));
    typing.set(who, setTimeout(stopTyping, TYPING_SHOWN, room, who));
    showTyping();
  },
  here(person) {
    here.set(person.who, person);
    view.showPeople(here, me.who);
  },
  away({ who }) {
    here.delete(who);
    view.showPeople(here, me.who);
  },
  name(person) {
    if (here.has(person.who)) here.set(person.who, person);
    if (person.who === me.who) setMe(person);
    view.showPeople(here, me.who);
    showTyping();
  },
  tabs({ tabs }) {
    $('tabs').textContent = tabs === 1 ? 'Open in this tab' : `Open in ${tabs} tabs`;
  },
};

function connect() {
  const source = new EventSource('events');
  for (const [name, handle] of Object.entries(handlers)) {
    source.addEventListener(name, ({ data }) => handle(JSON.parse(data)));
  }
  source.addEventListener('open', () => {
    view.showState('live');
    outbox.wake();
  });
  source.addEventListener('error', () => {
    view.showState('connecting');
    // It comes back by itself, but for an answer that is no stream: an error page of a proxy. The new one begins with `state`.
    if (source.readyState === EventSource.CLOSED) setTimeout(connect, REFUSED_WAIT);
  });
}

// ---- Messages ----------------------------------------------------------------------------------

function add(message) {
  const { messages } = rooms.get(message.room);
  const before = messages.at(-1);
  messages.push(message);
  if (messages.length > KEPT) messages.shift();
  if (message.room === open) view.addMessage(message, before, message.who === me.who);
}

function settle(id, { sent, at, refused, delay }) {
  if (sent) outbox.confirm(id);
  for (const { messages } of rooms.values()) {
    const message = messages.find((each) => each.id === id);
    if (message?.isSent !== false) continue;
    Object.assign(message, sent ? { isSent: true, at } : { refused, delay });
    view.changeMessage(message);
  }
}

const outbox = new Outbox(settle);

$('composer').addEventListener('submit', (event) => {
  event.preventDefault();
  const text = $('text').value.trim();
  if (!text || !rooms.has(open)) return;
  const id = crypto.getRandomValues(new Uint32Array(4)).join('-').slice(0, 40);
  const message = { id, room: open, who: me.who, name: me.name, text, at: Date.now() };
  add({ ...message, isSent: false });
  outbox.add(message);
  $('text').value = '';
  fitText();
  toldAt = 0;
});

$('text').addEventListener('keydown', (event) => {
  if (event.key !== 'Enter' || event.shiftKey || event.isComposing) return;
  event.preventDefault();
  $('composer').requestSubmit();
});

function fitText() {
  $('text').style.height = 'auto';
  $('text').style.height = `${$('text').scrollHeight + 2}px`;
}

// ---- Typing ------------------------------------------------------------------------------------

let toldAt = 0;
$('text').addEventListener('input', () => {
  fitText();
  if (!$('text').value.trim() || Date.now() - toldAt < TYPING_TOLD) return;
  toldAt = Date.now();
  fetch(`rooms/${open}/typing`, { method: 'POST' }).catch(() => {}); // not worth a second try
});

function stopTyping(room, who) {
  const { typing } = rooms.get(room);
  clearTimeout(typing.get(who));
  if (typing.delete(who)) showTyping();
}

function showTyping() {
  const { typing } = rooms.get(open) ?? { typing: new Map() };
  view.showTyping([...typing.keys()].map((who) => here.get(who)?.name ?? 'Somebody'));
}

// ---- Rooms and people --------------------------------------------------------------------------

function showRooms() {
  view.showRooms(rooms, open, enter);
  const unread = [...rooms.values()].reduce((sum, each) => sum + each.unread, 0);
  document.title = `${unread ? `(${unread}) ` : ''}${open} · Chat`;
}

function showRoom() {
  const room = rooms.get(open);
  $('title').textContent = room.name;
  $('topic').textContent = room.topic;
  $('text').placeholder = `Say something in ${room.name}`;
  room.unread = 0;
  view.showMessages(room.messages, me.who);
  showRooms();
  showTyping();
}

function enter(name) {
  rooms.get(open).draft = $('text').value;
  open = name;
  history.replaceState(null, '', `#${name}`);
  $('text').value = rooms.get(name).draft;
  fitText();
  toldAt = 0;
  showRoom();
}

function setMe(person) {
  me = person;
  if (document.activeElement !== $('name')) $('name').value = me.name;
}

$('me').addEventListener('submit', async (event) => {
  event.preventDefault();
  $('name').blur();
  const headers = { 'Content-Type': 'application/json' };
  const body = JSON.stringify({ name: $('name').value });
  const response = await fetch('me', { method: 'PUT', headers, body }).catch(() => null);
  if (!response?.ok) $('name').value = me.name; // the name that others still see
});

$('cut').addEventListener('click', () => fetch('me/cut', { method: 'POST' }).catch(() => {}));

$('who').addEventListener('click', () => {
  const isOpen = document.body.classList.toggle('people');
  $('who').setAttribute('aria-expanded', String(isOpen));
});

document.addEventListener('visibilitychange', () => {
  if (document.hidden || !rooms.has(open)) return;
  rooms.get(open).unread = 0;
  showRooms();
});

connect();
