// The page behind the rooms: one stream of events in, small POST and PATCH requests out.

import { $, avatar, element, personIcon } from './dom.js';
import { KEPT_ITEMS, appendToLog, changeLastLine, showLog } from './log.js';
import { Stream, send } from './stream.js';
import { inventName, people, seconds } from './words.js';

const SHOWN_MEMBERS = 100;

const rooms = new Map(); // name → { name, topic, count, members, items, unread, draft, button }
const joined = new Set(new URLSearchParams(location.search).getAll('room'));
if (joined.size === 0) joined.add('lobby');
let open = [...joined][0];

const me = { id: null, who: null, name: localStorage.getItem('name') || inventName() };
localStorage.setItem('name', me.name);

function room(name) {
  if (!rooms.has(name)) {
    const button = roomButton(name);
    rooms.set(name, {
      name,
      topic: '',
      count: 0,
      members: new Map(),
      items: [],
      unread: 0,
      draft: '',
      button,
    });
  }
  return rooms.get(name);
}

// ---- The stream --------------------------------------------------------------------------------

const handlers = {
  welcome({ id, you, rooms: list, heartbeat }) {
    Object.assign(me, { id, who: you.who });
    for (const { name, topic, count } of list) {
      const { button } = Object.assign(room(name), { topic, count });
      if (!button.isConnected) $('rooms').append(element('li', '', button));
    }
    const away = seconds(Date.now() - stream.lostAt);
    if (!stream.everLive)
      addItem(open, { text: `Welcome, ${me.name}. Only you can see this line.` });
    else for (const each of joined) addItem(each, { text: `You are back, after ${away}` });
    stream.welcomed(heartbeat);
    if (stream.asked !== wanted()) tellServer();
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
  rename({ who, name: now }) {
    for (const { name, members } of rooms.values()) {
      if (!members.has(who)) continue;
      const before = members.get(who);
      members.set(who, now);
      addPresence(name, before, `is now ${now}`);
    }
  },
  count({ room: name, count }) {
    room(name).count = count;
    showButton(room(name));
  },
  message({ room: name, name: from, text, at }) {
    if (!joined.has(name)) return;
    if (name !== open || document.hidden) room(name).unread += 1;
    addItem(name, { from, text, at, own: from === me.name });
    showButton(room(name));
  },
};

const stream = new Stream({
  query: wanted,
  handlers,
  changed: showState,
  refused() {
    // The page's address named a room that does not exist.
    if (!stream.everLive) stayOnlyIn('lobby');
  },
});

function wanted() {
  return new URLSearchParams([
    ...[...joined].map((name) => ['room', name]),
    ['name', me.name],
  ]).toString();
}

// Changes the rooms and the name of the open stream, one request after the other.
// When there is no stream, or the request fails, the next welcome sees to it.
let telling = Promise.resolve();
function tellServer() {
  telling = telling
    .then(
      () => stream.live && send('PATCH', `clients/${me.id}`, { rooms: [...joined], name: me.name }),
    )
    .catch(() => {});
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
  button.setAttribute(
    'aria-label',
    `${name}, ${people(count)} here${unread ? `, ${unread} unread` : ''}${joined.has(name) ? '' : ', not joined'}`,
  );
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
  showDraft();
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
  showDraft();
  showButton(left);
  room(open).button.focus();
}

function showDraft() {
  $('text').value = room(open).draft;
  fitComposer();
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
  const { topic, items } = room(open);
  $('room-name').textContent = `#${open}`;
  $('room-topic').textContent = topic;
  $('leave').hidden = joined.size < 2;
  $('leave').setAttribute('aria-label', `Leave ${open}`);
  $('text').placeholder = `Message #${open}`;
  showHint('');

  showLog(items, nothingYet());
  room(open).unread = 0;
  for (const each of rooms.values()) showButton(each);
  room(open).button.scrollIntoView({ block: 'nearest', inline: 'center' });
  showPeople();
}

function nothingYet() {
  const curl = `curl -X POST ${location.host}/rooms/${open} -d 'text=hello'`;
  return element(
    'div',
    'empty',
    element('strong', '', `Quiet in #${open} so far`),
    element('span', '', 'Write something below, or from a terminal:'),
    element('code', '', curl),
  );
}

// ---- Messages ----------------------------------------------------------------------------------

function addItem(name, item) {
  const { items } = room(name);
  const before = items.at(-1);
  items.push(item);
  if (items.length > KEPT_ITEMS) items.shift();
  if (name === open) appendToLog(item, before);
}

// Comings and goings that follow each other share a line, so that they never push the talk away.
function addPresence(name, who, what) {
  if (!joined.has(name)) return;
  const { items } = room(name);
  const last = items.at(-1);
  if (!last?.phrases) {
    addItem(name, { phrases: [{ who, what }] });
  } else {
    const same = last.phrases.find((phrase) => phrase.who === who);
    if (same) same.what = what === 'joined' && same.what === 'left' ? 'is back' : what;
    else last.phrases.push({ who, what });
    if (last.phrases.length > 4) last.phrases.shift();
    if (name === open) changeLastLine(last);
  }
  if (name === open) showPeople();
}

// ---- People and state --------------------------------------------------------------------------

function showPeople() {
  const members = [...room(open).members].map(([who, name]) => ({
    who,
    name,
    you: who === me.who,
  }));
  members.sort((a, b) => b.you - a.you || a.name.localeCompare(b.name));
  const rows = members
    .slice(0, SHOWN_MEMBERS)
    .map(({ name, you }) =>
      element(
        'li',
        '',
        avatar(name),
        element('span', 'name', name),
        ...(you ? [element('span', 'you', 'you')] : []),
      ),
    );
  if (members.length > rows.length)
    rows.push(element('li', 'you', `and ${members.length - rows.length} more`));
  $('members').replaceChildren(...rows);
  $('here').textContent = members.length;
  $('people-open').textContent = `${members.length} here`;
}

function showState(why) {
  const { live, everLive, tries } = stream;
  const word = everLive ? 'Reconnecting' : 'Connecting';
  document.body.dataset.state = live ? 'live' : 'waiting';
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
    if (open === to) $('text').value = text + $('text').value;
    else room(to).draft = text;
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
});

$('leave').addEventListener('click', leave);
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
stream.connect();
