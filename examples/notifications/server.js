'use strict';

// Notifications: a user has many tabs, or none at all. What travels, by event name:
//   inbox          to one client whenever it comes, also when it comes back: what is in the database
//   notification   to all tabs of one user: a new one
//   read           to all tabs of one user: what one of them has read
// Each says how many are unread now, so that no page has to count.

const path = require('node:path');
const express = require('express');
const { createHub } = require('fanline');
const assets = require('../shared/assets');
const { USERS, notificationOf, problem, rangeOf, userNamed, userOf } = require('./input');
const { Store } = require('./store');

const PORT = Number(process.env.PORT || 3000);
const SHOWN = 30;

const store = new Store(process.env.DB || path.join(__dirname, 'notifications.db'));

const hub = createHub({
  history: false, // the database is the history, and outlives the process
  snapshot(client) {
    const { user } = client;
    const notifications = store.latest(user, SHOWN);
    client.send({ user, notifications, unread: store.unread(user) }, { event: 'inbox' });
  },
  limits: { clients: 10_000, clientsPerUser: 20, queueBytes: 1 << 20, stallTimeout: 10_000 },
});

/**
 * Stores it, then tells all tabs of the user. `tabs`: how many there were; `delivered`: to how many of them it is on its way, out
 * of this process. 0: the next visit finds it in the database. Whether somebody has looked at it, only `read` can tell.
 */
async function notify(user, content) {
  const notification = store.add(user, content); // first the store: what is told is there
  const event = { notification, unread: store.unread(user) };
  try {
    const { matched, written } = await hub.user(user).deliver(event, { event: 'notification' });
    return { id: notification.id, tabs: matched, delivered: written };
  } catch (err) {
    if (err.code !== 'ERR_FAN_CLOSED' && err.code !== 'ERR_FAN_FULL') throw err;
    return { id: notification.id, tabs: 0, delivered: 0 }; // stored all the same
  }
}

const app = express();
app.use(assets());
app.use(express.static(path.join(__dirname, 'public')));
app.use(express.json({ limit: '8kb' }), express.urlencoded({ limit: '8kb', extended: false }));

// curl localhost:3000/users/ada/notifications -d title=Build -d 'text=It is green again'
// In an app this is no route: whatever has something to say calls notify().
app.post('/users/:user/notifications', async (req, res) => {
  const user = userNamed(req.params.user);
  res.status(201).json(await notify(user, notificationOf(req.body)));
});

// curl -N -b user=ada localhost:3000/events
app.get(
  '/events',
  hub.handler((req) => (userOf(req) ? { user: userOf(req) } : null)),
); // null: 401

// curl -b user=ada localhost:3000/read --json '{"upTo":5}'
app.post('/read', (req, res) => {
  const user = userOf(req);
  if (!user) throw problem(401, 'Who are you?');
  const [first, last] = rangeOf(req.body);
  store.markRead(user, first, last);
  const unread = store.unread(user);
  hub.user(user).send({ first, last, unread }, { event: 'read' });
  res.json({ unread });
});

app.get('/me', (req, res) => res.json({ user: userOf(req), users: USERS }));

app.post('/login', (req, res) => {
  res.cookie('user', userNamed(req.body?.user), { httpOnly: true, sameSite: 'lax' });
  res.sendStatus(204);
});

app.use((req) => {
  throw problem(404, `Nothing at ${req.method} ${req.path}`);
});

app.use((err, _req, res, next) => {
  if (res.headersSent) return next(err);
  const status = err.status ?? 500;
  if (status === 500) console.error(err);
  res.status(status).json({ error: status < 500 ? err.message : 'The server cannot do this now' });
});

const server = app.listen(PORT, (err) => {
  if (err) {
    const taken = `Port ${PORT} is in use. Choose another: PORT=${PORT + 1} npm run example -- notifications`;
    console.error(err.code === 'EADDRINUSE' ? taken : err.message);
    process.exit(1);
  }
  console.log(`Notifications is open at http://localhost:${server.address().port}`);
});

for (const signal of ['SIGINT', 'SIGTERM']) {
  process.once(signal, async () => {
    await hub.close({ grace: 1_000 });
    server.close(() => store.close());
  });
}
