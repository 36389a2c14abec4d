'use strict';

// The page behind the rooms: one EventSource in, small POST and PATCH requests out.
// Everything that people write reaches the page through textContent, never as HTML.

const KEPT_ITEMS = 300;
const SHOWN_MEMBERS = 100;
const REFUSED_WAIT = 4_000;

const $ = (id) => document.getElementById(id);

const rooms = new Map(); // name → { name, topic, count, members, items, unread, draft, button }
const joined = new Set(new URLSearchParams(location.search).getAll('room'));
if (joined.size === 0) joined.add('lobby');
let open = [...joined][0];

const me = { id: null, who: null, name: localStorage.getItem('name') || inventName() };
localStorage.setItem('name', me.name);

function room(name) {
  if (!rooms.has(name)) {
    const button = roomButton(name);
    rooms.set(name, { name, topic: '', count: 0, members: new Map(), items: [], unread: 0, draft: '', button });
  }
  return rooms.get(name);
}

// ---- The stream --------------------------------------------------------------------------------

let source = null;
let asked = ''; // what the stream's address says: EventSource always comes back with the same one
let live = false;
let everLive = false;
let tries = 0;
let lostAt = 0;
let lastSign = 0; // when the server was last heard: an event, or at least an error
let heartbeat = 15_000;
let later = null;

const handlers = {
  welcome({ id, you, rooms: list, heartbeat: interval }) {
    Object.assign(me, { id, who: you.who });
    heartbeat = interval;
    for (const { name, topic, count } of list) {
      const { button } = Object.assign(room(name), { topic, count });
      if (!button.isConnected) $('rooms').append(element('li', '', button));
    }
    const away = `You are back, after ${seconds(Date.now() - lostAt)}`;
    if (everLive) for (const name of joined) addItem(name, { text: away });
    else addItem(open, { text: `Welcome, ${me.name}. Only you can see this line.` });
    live = everLive = true;
    tries = 0;
    if (asked !== wanted()) tellServer();
    showState();
    showRoom();
  },
  members({ room: name, members }) {
    room(name).members = new Map(members.map((member) => [member.who, member.name]));
    showPeople();
  },
  join({ room: name, member }) {
    room(name).members.set(member.who, member.name);
    addPresence(name, member.name, 'joined');
  },
  leave({ room: name, member }) {
    room(name).members.delete(member.who);
    addPresence(name, member.name, 'left');
  },
  rename({ room: name, member }) {
    const before = room(name).members.get(member.who) ?? 'Somebody';
    room(name).members.set(member.who, member.name);
    addPresence(name, before, `is now ${member.name}`);
  },
  count({ room: name, count }) {
    room(name).count = count;
    showButton(room(name));
  },
  message({ room: name, name: from, text, at }) {
    if (!joined.has(name)) return;
    if (name !== open || document.hidden) room(name).unread += 1;
    addItem(name, { from, text, at });
    showButton(room(name));
  },
  heartbeat() {},
};

function connect() {
  clearTimeout(later);
  source?.close();
  asked = wanted();
  lastSign = Date.now();
  source = new EventSource(`events?${asked}`);
  source.addEventListener('error', streamFailed);
  for (const [event, handle] of Object.entries(handlers)) {
    source.addEventListener(event, ({ data }) => {
      lastSign = Date.now();
      handle(JSON.parse(data));
    });
  }
}

function streamFailed() {
  lastSign = Date.now();
  lost('The connection is lost. Your browser tries again by itself.');
  if (source.readyState !== EventSource.CLOSED) return;
  // EventSource gives up when the answer is no stream: a proxy's error page, or a room that does not exist.
  if (!everLive) stayOnlyIn('lobby');
  later = setTimeout(connect, REFUSED_WAIT);
}

// A dead line makes no error. Only the heartbeats that do not come tell of it.
function watchSilence() {
  const silence = Date.now() - lastSign;
  if (silence < heartbeat * 2.2) return;
  lost(`Nothing heard from the server for ${seconds(silence)}. Trying a new connection.`);
  connect();
}

function lost(why) {
  if (tries === 0) lostAt = Date.now();
  live = false;
  tries += 1;
  showState(why);
}

function wanted() {
  return new URLSearchParams([...[...joined].map((name) => ['room', name]), ['name', me.name]]).toString();
}

// Changes the rooms and the name of the open stream, one request after the other.
// When there is no stream, or the request fails, the next welcome sees to it.
let telling = Promise.resolve();
function tellServer() {
  telling = telling
    .then(() => live && send('PATCH', `clients/${me.id}`, { rooms: [...joined], name: me.name }))
    .catch(() => {});
}

async function send(method, url, body) {
  const headers = { 'Content-Type': 'application/json' };
  const response = await fetch(url, { method, headers, body: JSON.stringify(body) });
  const answer = await response.json().catch(() => ({}));
  if (!response.ok) throw new Error(answer.error ?? `The server answered ${response.status}`);
  return answer;
}

// ---- Rooms -------------------------------------------------------------------------------------

function roomButton(name) {
  const count = element('span', 'count', personIcon(), element('span', 'number', '0'));
  const label = element('span', 'label', element('span', 'hash', '#'), name);
  const button = element('button', '', label, element('span', 'badge unread-count'), count);
  button.type = 'button';
  button.dataset.room = name;
  button.addEventListener('click', (event) => {
    enter(name);
    const mouse = event.detail > 0 && matchMedia('(hover: hover) and (min-width: 701px)').matches;
    if (mouse) $('text').focus();
  });
  return button;
}

function showButton({ name, count, unread, button }) {
  button.classList.toggle('joined', joined.has(name));
  button.classList.toggle('unread', unread > 0);
  button.setAttribute('aria-current', String(name === open));
  button.setAttribute('aria-label', `${name}, ${people(count)} here${unread ? `, ${unread} unread` : ''}${joined.has(name) ? '' : ', not joined'}`);
  button.querySelector('.number').textContent = count;
  button.querySelector('.unread-count').textContent = unread > 99 ? '99+' : unread;
  button.querySelector('.unread-count').hidden = unread === 0;
  const waiting = [...rooms.values()].reduce((sum, each) => sum + each.unread, 0);
  document.title = `${waiting ? `(${waiting}) ` : ''}#${open} · Rooms`;
}

function enter(name) {
  room(open).draft = $('text').value;
  open = name;
  if (!joined.has(name)) {
    joined.add(name);
    tellServer();
  }
  rememberRooms();
  showRoom();
}

function leave() {
  const left = room(open);
  joined.delete(open);
  Object.assign(left, { items: [], unread: 0, draft: '' });
  left.members.clear();
  open = [...joined][0];
  tellServer();
  rememberRooms();
  showRoom();
  showButton(left);
  room(open).button.focus();
}

function stayOnlyIn(name) {
  joined.clear();
  joined.add(name);
  open = name;
  rememberRooms();
  showRoom();
}

function rememberRooms() {
  const names = [open, ...[...joined].filter((name) => name !== open)];
  history.replaceState(null, '', `?${new URLSearchParams(names.map((name) => ['room', name]))}`);
}

function showRoom() {
  const { topic, items, draft } = room(open);
  $('room-name').textContent = `#${open}`;
  $('room-topic').textContent = topic;
  $('leave').hidden = joined.size < 2;
  $('leave').setAttribute('aria-label', `Leave ${open}`);
  $('text').placeholder = `Message #${open}`;
  if ($('text').value !== draft && document.activeElement !== $('text')) $('text').value = draft;
  fitComposer();
  showHint('');

  $('log').replaceChildren(...items.map((item, i) => itemElement(item, items[i - 1])));
  if (!items.some((item) => item.from)) $('log').append(nothingYet());
  toLatest();
  room(open).unread = 0;
  for (const each of rooms.values()) showButton(each);
  room(open).button.scrollIntoView({ block: 'nearest', inline: 'center' });
  showPeople();
}

function nothingYet() {
  const curl = `curl -X POST ${location.host}/rooms/${open} -d 'text=hello'`;
  return element('div', 'empty',
    element('strong', '', `Quiet in #${open} so far`),
    element('span', '', 'Write something below, or from a terminal:'),
    element('code', '', curl));
}

// ---- Messages ----------------------------------------------------------------------------------

// A message is { from, text, at }, a line about the room { text } or { phrases }.
function addItem(name, item) {
  const { items } = room(name);
  const before = items.at(-1);
  items.push(item);
  if (items.length > KEPT_ITEMS) items.shift();
  if (name !== open) return;

  const log = $('log');
  const empty = log.querySelector('.empty');
  if (empty && item.from) empty.remove();
  log.insertBefore(itemElement(item, before), item.from ? null : empty);
  if (log.childElementCount > KEPT_ITEMS) log.firstElementChild.remove();
  if (following || item.from === me.name) toLatest();
  else if (item.from) $('latest').hidden = false;
}

// Comings and goings that follow each other share a line, so that they never push the talk away.
function addPresence(name, who, what) {
  const { items } = room(name);
  const last = items.at(-1);
  if (!last?.phrases) {
    addItem(name, { phrases: [{ who, what }] });
  } else {
    const same = last.phrases.find((phrase) => phrase.who === who);
    if (same) same.what = what === 'joined' && same.what === 'left' ? 'is back' : what;
    else last.phrases.push({ who, what });
    if (last.phrases.length > 4) last.phrases.shift();
    if (name === open) [...$('log').querySelectorAll('.line')].at(-1).textContent = lineText(last);
  }
  if (name === open) showPeople();
}

function itemElement(item, before) {
  if (!item.from) return element('p', 'line', lineText(item));
  const more = before?.from === item.from && item.at - before.at < 300_000;
  const time = element('time', '', new Date(item.at).toLocaleTimeString([], { hour: '2-digit', minute: '2-digit' }));
  time.dateTime = new Date(item.at).toISOString();
  const head = element('p', 'who', element('span', 'name', item.from), time);
  const body = element('div', 'body', ...(more ? [] : [head]), element('p', 'text', item.text));
  const own = item.from === me.name ? ' own' : '';
  return element('article', `message${more ? ' more' : ''}${own}`, ...(more ? [] : [avatar(item.from)]), body);
}

function lineText({ text, phrases }) {
  return text ?? phrases.map(({ who, what }) => `${who} ${what}`).join(' · ');
}

// The list stays at its end, whatever grows or shrinks, unless the reader has scrolled up.
let following = true;
let lastTop = 0;

function toLatest() {
  following = true;
  $('log').scrollTop = $('log').scrollHeight;
  $('latest').hidden = true;
}

function logScrolled() {
  const log = $('log');
  const atEnd = log.scrollHeight - log.scrollTop - log.clientHeight < 48;
  if (atEnd) following = true;
  else if (log.scrollTop < lastTop) following = false;
  lastTop = log.scrollTop;
  if (following) $('latest').hidden = true;
}

// ---- People and state --------------------------------------------------------------------------

function showPeople() {
  const members = [...room(open).members].map(([who, name]) => ({ who, name, you: who === me.who }));
  members.sort((a, b) => b.you - a.you || a.name.localeCompare(b.name));
  const rows = members.slice(0, SHOWN_MEMBERS).map(({ name, you }) => element('li', '',
    avatar(name), element('span', 'name', name), ...(you ? [element('span', 'you', 'you')] : [])));
  if (members.length > rows.length) rows.push(element('li', 'you', `and ${members.length - rows.length} more`));
  $('members').replaceChildren(...rows);
  $('here').textContent = members.length;
  $('people-open').textContent = `${members.length} here`;
}

function showState(why) {
  document.body.dataset.state = live ? 'live' : 'waiting';
  const word = everLive ? 'Reconnecting' : 'Connecting';
  $('state').textContent = live ? 'Live' : `${word}…${tries ? ` try ${tries}` : ''}`;
  $('notice').hidden = live || !why;
  if (why) $('notice').textContent = why;
}

function showHint(text, bad = false) {
  $('hint').textContent = text || 'Enter sends, Shift + Enter makes a new line';
  $('hint').classList.toggle('bad', bad);
}

function showSheet(shown) {
  $('people').classList.toggle('open', shown);
  $('shade').classList.toggle('open', shown);
  $('people-open').setAttribute('aria-expanded', String(shown));
  for (const part of document.querySelectorAll('.top, .rooms, .room')) part.inert = shown;
  (shown ? $('people-close') : $('people-open')).focus();
}

// ---- Small helpers -----------------------------------------------------------------------------

function element(tag, className, ...children) {
  const made = document.createElement(tag);
  if (className) made.className = className;
  made.append(...children); // strings become text nodes
  return made;
}

function avatar(name) {
  const initials = name.split(/\s+/).slice(0, 2).map((word) => [...word][0] ?? '').join('').toUpperCase();
  const made = element('span', 'avatar', initials);
  const hue = [...name].reduce((sum, letter) => (sum * 31 + letter.codePointAt(0)) % 3600, 7) / 10;
  made.style.setProperty('--hue', hue);
  made.setAttribute('aria-hidden', 'true');
  return made;
}

function personIcon() {
  const svg = document.createElementNS('http://www.w3.org/2000/svg', 'svg');
  const path = document.createElementNS('http://www.w3.org/2000/svg', 'path');
  for (const [name, value] of [['viewBox', '0 0 16 16'], ['width', 13], ['height', 13], ['aria-hidden', 'true']]) svg.setAttribute(name, value);
  path.setAttribute('d', 'M8 8a3 3 0 1 0 0-6 3 3 0 0 0 0 6Zm0 1.2c-3 0-5.4 1.7-5.4 3.9 0 .5.4.9.9.9h9c.5 0 .9-.4.9-.9 0-2.2-2.4-3.9-5.4-3.9Z');
  path.setAttribute('fill', 'currentColor');
  svg.append(path);
  return svg;
}

function inventName() {
  const pick = (words) => words[Math.floor(Math.random() * words.length)];
  const manner = pick(['Quiet', 'Sunny', 'Brave', 'Gentle', 'Swift', 'Curious', 'Mellow', 'Bright', 'Patient', 'Merry']);
  return `${manner} ${pick(['Otter', 'Heron', 'Fox', 'Badger', 'Wren', 'Lynx', 'Hare', 'Robin', 'Seal', 'Owl', 'Finch', 'Marten'])}`;
}

function people(count) {
  return count === 1 ? '1 person' : `${count} people`;
}

function seconds(ms) {
  const whole = Math.max(1, Math.round(ms / 1000));
  return whole < 120 ? `${whole} s` : `${Math.round(whole / 60)} min`;
}

function fitComposer() {
  const text = $('text');
  text.style.height = 'auto';
  text.style.height = `${text.scrollHeight + 2}px`;
}

// ---- What the person does ----------------------------------------------------------------------

$('composer').addEventListener('submit', async (event) => {
  event.preventDefault();
  const to = open;
  const text = $('text').value;
  if (!text.trim()) return;
  $('text').value = '';
  fitComposer();
  try {
    const { matched } = await send('POST', `rooms/${to}`, { name: me.name, text });
    if (open === to) showHint(`Reached ${people(matched)}`);
  } catch (error) {
    const reason = error instanceof TypeError ? 'the server cannot be reached' : error.message;
    showHint(`Not sent: ${reason}. Your text is back above.`, true);
    $('text').value = text + $('text').value;
    fitComposer();
  }
});

$('text').addEventListener('keydown', (event) => {
  if (event.key !== 'Enter' || event.shiftKey || event.isComposing) return;
  event.preventDefault();
  $('composer').requestSubmit();
});
$('text').addEventListener('input', () => {
  fitComposer();
  showHint('');
});

$('rename').addEventListener('submit', (event) => {
  event.preventDefault();
  const name = $('name').value.trim();
  if (!name) return;
  me.name = name;
  localStorage.setItem('name', name);
  $('name').value = name;
  $('name').blur();
  tellServer();
  showRoom();
});

$('leave').addEventListener('click', leave);
$('latest').addEventListener('click', toLatest);
$('log').addEventListener('scroll', logScrolled);
new ResizeObserver(() => { if (following) toLatest(); }).observe($('log'));
$('people-open').addEventListener('click', () => showSheet(true));
$('people-close').addEventListener('click', () => showSheet(false));
$('shade').addEventListener('click', () => showSheet(false));
document.addEventListener('keydown', (event) => {
  if (event.key === 'Escape' && $('people').classList.contains('open')) showSheet(false);
});
matchMedia('(max-width: 1020px)').addEventListener('change', () => {
  if ($('people').classList.contains('open')) showSheet(false);
});
document.addEventListener('visibilitychange', () => {
  if (document.hidden) return;
  room(open).unread = 0;
  showButton(room(open));
});

$('name').value = me.name;
showRoom();
showState();
connect();
setInterval(watchSilence, 1_000);
