'use strict';

// A chat with typing, presence and nothing lost: events come down one stream, words go up with POST.
// What travels, by event name:
//   state            to one client that comes without a cursor: you, who is here, what was said lately
//   message          to a room; kept, so that a client that was away for a moment gets it when it is back
//   typing           to a room, not to the typist's own tabs; of interest now or never: not kept
//   here, away, name to everyone, about one person, in however many tabs
//   tabs             to all tabs of one person

const path = require('node:path');
const express = require('express');
const { createHub } = require('fanline');
const assets = require('../shared/assets');
const { ROOMS, messageOf, nameOf, person, problem, remember, roomOf } = require('./input');
const { limiter } = require('./limit');

const PORT = Number(process.env.PORT || 3000);
const AWAY = Number(process.env.AWAY || 6_000); // ms without a tab until somebody has left: a reload is no farewell
const SHOWN = 40; // messages of a room that newcomers see

const lately = new Map(Object.keys(ROOMS).map((room) => [room, []]));
const here = new Map(); // who → { who, name }
const leaving = new Map(); // who → timer

const hub = createHub({
  retry: { min: 1_000, max: 3_000 },
  history: { events: 500, maxAge: 600_000 },
  limits: { clients: 10_000, clientsPerUser: 12, queueBytes: 2 << 20 },
  // Not for those who come back with a cursor: they get what they have missed instead.
  snapshot(client) {
    const messages = [...lately.values()].flat();
    const state = { you: client.data, rooms: ROOMS, here: [...here.values()], messages };
    client.send(state, { event: 'state' });
  },
});

// ---- Who is here -------------------------------------------------------------------------------

/** A keyed event: of several that wait for a slow tab, only the last is of interest. */
function tellTabs(who) {
  const { size: tabs } = hub.user(who);
  hub.user(who).send({ tabs }, { event: 'tabs', key: 'tabs' });
}

hub.on('connect', ({ user: who, data }) => {
  clearTimeout(leaving.get(who));
  leaving.delete(who);
  if (!here.has(who)) hub.broadcast(data, { event: 'here' });
  here.set(who, data);
  tellTabs(who);
});

hub.on('disconnect', ({ user: who }) => {
  if (hub.user(who).size > 0) return tellTabs(who);
  const left = () => {
    leaving.delete(who);
    here.delete(who);
    hub.broadcast({ who }, { event: 'away' });
  };
  leaving.set(who, setTimeout(left, AWAY).unref());
});

// ---- Requests ----------------------------------------------------------------------------------

const app = express();
app.use(assets());
app.use(person); // before the page, so that its stream has the cookie already
app.use(express.static(path.join(__dirname, 'public')));
app.use(express.json({ limit: '16kb' }), express.urlencoded({ limit: '16kb', extended: false }));

// curl -N localhost:3000/events
const listener = (req) => ({ user: req.person.who, rooms: Object.keys(ROOMS), data: req.person });
app.get('/events', hub.handler(listener));

// A person can be made up by leaving the cookie out, an address cannot.
const limits = {
  message: {
    person: limiter({ burst: 8, perSecond: 1 }),
    address: limiter({ burst: 80, perSecond: 10 }),
  },
  typing: {
    person: limiter({ burst: 8, perSecond: 1 }),
    address: limiter({ burst: 80, perSecond: 20 }),
  },
};
const limited = (what) => (req, _res, next) => {
  const seconds = Math.max(what.person(req.person.who), what.address(req.ip));
  if (seconds === 0) return next();
  throw problem(429, `Too fast. Again in ${seconds} s`, { 'Retry-After': seconds });
};

// curl localhost:3000/rooms/garden/messages -d 'text=hello'
app.post('/rooms/:room/messages', limited(limits.message), async (req, res) => {
  const room = roomOf(req.params.room);
  const { id, text } = messageOf(req.body);
  const list = lately.get(room);
  const { who, name } = req.person;
  // A page whose answer was lost sends again, with the same id.
  const before = list.find((each) => each.id === id && each.who === who);
  if (before) return res.json({ id, at: before.at, again: true });

  const message = { id, room, who, name, text, at: Date.now() };
  const { matched, accepted } = hub.to(room).send(message, { event: 'message' });
  list.push(message);
  if (list.length > SHOWN) list.shift();
  await accepted; // from here on nobody can miss it, not even who is reconnecting now
  res.status(201).json({ id, at: message.at, matched });
});

app.post('/rooms/:room/typing', limited(limits.typing), (req, res) => {
  const room = roomOf(req.params.room);
  const { who } = req.person;
  const others = hub.to(room).except(hub.user(who));
  others.send({ room, who }, { event: 'typing', key: `typing ${room} ${who}` });
  res.sendStatus(204);
});

// curl -X PUT localhost:3000/me -d name=Ada
app.put('/me', limited(limits.message), (req, res) => {
  const { who } = req.person;
  req.person.name = nameOf(req.body?.name, req.person.name);
  remember(req, res);
  if (here.has(who)) here.set(who, req.person);
  for (const client of hub.user(who).clients()) client.data = req.person;
  hub.broadcast(req.person, { event: 'name' });
  res.json(req.person);
});

// To see what a lost connection does: all tabs of this person lose theirs, and come back by themselves.
app.post('/me/cut', limited(limits.message), (req, res) => {
  const { who } = req.person;
  hub.user(who).disconnect();
  res.sendStatus(204);
});

app.use((req) => {
  throw problem(404, `Nothing at ${req.method} ${req.path}`);
});

app.use((err, _req, res, next) => {
  if (res.headersSent) return next(err);
  const busy = err.code === 'ERR_FAN_FULL' || err.code === 'ERR_FAN_CLOSED';
  const status = busy ? 503 : (err.status ?? 500);
  if (status === 500) console.error(err);
  const error = status < 500 ? err.message : 'The server cannot do this now';
  res
    .status(status)
    .set(err.headers ?? {})
    .json({ error });
});

const server = app.listen(PORT, (err) => {
  if (err) {
    const taken = `Port ${PORT} is in use. Choose another: PORT=${PORT + 1} npm run example -- chat`;
    console.error(err.code === 'EADDRINUSE' ? taken : err.message);
    process.exit(1);
  }
  console.log(`Chat is open at http://localhost:${server.address().port}`);
});

for (const signal of ['SIGINT', 'SIGTERM']) {
  process.once(signal, async () => {
    await hub.close({ grace: 1_000 });
    server.close();
  });
}
