// The inbox: the stream says what is, requests say what to change, and the page shows only what the stream has said.

const $ = (id) => document.getElementById(id);
const KEPT = 100; // shown at most

const list = new Map(); // id → notification
let users = {};
let source = null;

// ---- The stream --------------------------------------------------------------------------------

const handlers = {
  /** Whenever the connection is there, also again: the page needs no memory of its own. */
  inbox({ user, notifications, unread }) {
    $('user').textContent = users[user];
    list.clear();
    for (const each of notifications.toReversed()) list.set(each.id, each);
    $('list').replaceChildren(...notifications.map(itemOf));
    showUnread(unread);
  },
  notification({ notification, unread }) {
    if (!list.has(notification.id)) {
      const item = itemOf(notification);
      item.classList.add('new');
      list.set(notification.id, notification);
      $('list').prepend(item);
      if (list.size > KEPT) drop([...list.keys()][0]);
    }
    showUnread(unread);
  },
  read({ first, last, unread }) {
    for (const [id, notification] of list) {
      if (id < first || id > last || notification.read) continue;
      notification.read = true;
      document.querySelector(`[data-id="${id}"]`).replaceWith(itemOf(notification));
    }
    showUnread(unread);
  },
};

function connect() {
  source = new EventSource('events');
  for (const [name, handle] of Object.entries(handlers)) {
    source.addEventListener(name, ({ data }) => handle(JSON.parse(data)));
  }
  source.addEventListener('inbox', () => showState('live', 'Live'));
  source.addEventListener('error', () => {
    showState('connecting', 'Connecting…');
    if (source.readyState === EventSource.CLOSED) setTimeout(connect, 3_000); // an error page of a proxy
  });
}

// ---- What is shown -----------------------------------------------------------------------------

const wasToday = (date) => date.toDateString() === new Date().toDateString();

/** What people write gets in as text, never as HTML. */
function itemOf({ id, title, text, at, read }) {
  const make = (tag, content) =>
    Object.assign(document.createElement(tag), { textContent: content });
  const date = new Date(at);
  const day = wasToday(date)
    ? ''
    : `${date.toLocaleDateString([], { day: 'numeric', month: 'short' })}, `;
  const time = date.toLocaleTimeString([], { hour: '2-digit', minute: '2-digit' });
  const when = make('time', day + time);
  when.dateTime = date.toISOString();

  const item = make('li', '');
  item.className = 'item';
  item.dataset.id = id;
  item.dataset.read = read;
  item.append(make('h3', title), when, make('p', text));
  if (!read) {
    const button = make('button', 'Mark as read');
    button.className = 'button';
    button.type = 'button';
    button.setAttribute('aria-label', `Mark as read: ${title}`);
    button.addEventListener('click', () => post('read', { id }).catch(() => {}));
    item.append(button);
  }
  return item;
}

function drop(id) {
  list.delete(id);
  document.querySelector(`[data-id="${id}"]`).remove();
}

function showUnread(count) {
  $('unread').dataset.count = count;
  const words = Object.assign(document.createElement('span'), {
    className: 'sr',
    textContent: ' unread',
  });
  $('unread').replaceChildren(...(count === 0 ? ['all read'] : [String(count), words]));
  $('all').disabled = count === 0;
  $('empty').hidden = list.size > 0;
  document.title = count === 0 ? 'Notifications' : `(${count}) Notifications`;
  $('icon').href = iconOf(count);
  navigator.setAppBadge?.(count).catch(() => {}); // where the page is installed as an app
}

/** A bell, with a dot while something is unread. */
function iconOf(count) {
  const bell = 'M8 2a4 4 0 0 0-4 4v3l-1.5 2.5h11L12 9V6a4 4 0 0 0-4-4ZM6.5 13a1.5 1.5 0 0 0 3 0Z';
  const dot = count ? '<circle cx="12" cy="4" r="4" fill="#b3362b"/>' : '';
  const svg = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 16 16"><path d="${bell}" fill="#2f6f6a"/>${dot}</svg>`;
  return `data:image/svg+xml,${encodeURIComponent(svg)}`;
}

function showState(state, words) {
  $('state').dataset.state = state;
  $('state').textContent = words;
}

// ---- Requests ----------------------------------------------------------------------------------

async function post(path, body) {
  const headers = { 'Content-Type': 'application/json' };
  const response = await fetch(path, { method: 'POST', headers, body: JSON.stringify(body) });
  const answer = response.status === 204 ? {} : await response.json();
  if (!response.ok) throw new Error(answer.error);
  return answer;
}

// Only what is on the screen: what comes this very moment stays unread.
$('all').addEventListener('click', () => {
  post('read', { upTo: Math.max(...list.keys()) }).catch(() => {});
});

$('send').addEventListener('submit', async (event) => {
  event.preventDefault();
  const [to, title, text] = ['to', 'title', 'text'].map((id) => $(id).value);
  try {
    const { tabs, delivered } = await post(`users/${to}/notifications`, { title, text });
    const where = tabs === 1 ? 'one tab' : `${tabs} tabs`;
    showAnswer(
      tabs === 0
        ? `${users[to]} is not here. It is kept for the next visit.`
        : `Delivered to ${delivered === tabs ? '' : `${delivered} of `}${where} of ${users[to]}.`,
    );
    for (const id of ['title', 'text']) $(id).value = '';
    $('title').focus();
  } catch (error) {
    showAnswer(error instanceof TypeError ? 'The server cannot be reached.' : error.message, true);
  }
});

function showAnswer(text, isBad = false) {
  $('answer').textContent = text;
  $('answer').classList.toggle('bad', isBad);
}

// ---- Who is it ---------------------------------------------------------------------------------

const tabs = new BroadcastChannel('user'); // all tabs share the cookie: they become the other user together
tabs.addEventListener('message', () => location.reload());

async function become(user) {
  await post('login', { user });
  tabs.postMessage(user);
  location.reload();
}

function buttonsFor(names) {
  return names.map((name) => {
    const button = document.createElement('button');
    Object.assign(button, { type: 'button', className: 'button', textContent: users[name] });
    button.addEventListener('click', () => become(name).catch(() => {}));
    return button;
  });
}

async function start() {
  const me = await (await fetch('me')).json();
  users = me.users;
  const names = Object.keys(users);
  $('users').replaceChildren(...buttonsFor(names));
  $('others').replaceChildren(...buttonsFor(names.filter((name) => name !== me.user)));
  $('to').replaceChildren(...names.map((name) => new Option(users[name], name)));
  $('login').hidden = me.user !== null;
  $('signed-in').hidden = me.user === null;
  if (me.user === null) return showState('ended', 'Not signed in');
  $('to').value = me.user;
  connect();
}

start();
