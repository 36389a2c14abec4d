'use strict';

// Chat rooms over Server-Sent Events. People listen with GET /events and speak with POST /rooms/:room.
// What travels, by event name:
//   welcome  to one client: its id, its member number and the rooms there are
//   members  to one client: who is in the room that it has just joined
//   join, leave, rename, message   to a room
//   count    to everyone

const path = require('node:path');
const express = require('express');
const { createHub } = require('fanline');

const TOPICS = {
  lobby: 'Where everybody arrives',
  random: 'Anything goes',
  ops: 'Deploys, alarms and coffee',
  music: 'What are you listening to?',
};
const HEARTBEAT = 15_000;

const hub = createHub({ heartbeat: { interval: HEARTBEAT, event: 'heartbeat' } });
const count = (room) => hub.rooms.get(room) ?? 0;
let people = 0;

hub.on('join', (client, room) => {
  hub.to(room).except(client).send({ room, member: client.data }, { event: 'join' });
  hub.broadcast({ room, count: count(room) }, { event: 'count' });
  const members = hub.to(room).clients().map((other) => other.data);
  client.send({ room, members }, { event: 'members' });
});

hub.on('leave', (client, room) => {
  hub.to(room).send({ room, member: client.data }, { event: 'leave' });
  hub.broadcast({ room, count: count(room) }, { event: 'count' });
});

const app = express();
app.use(express.static(path.join(__dirname, 'public')));

// curl -N 'localhost:3000/events?room=lobby&room=music&name=Ada'
app.get('/events', hub.handler(
  (req) => ({ rooms: roomList(req.query.room ?? 'lobby'), data: { who: ++people, name: nameOf(req.query.name) } }),
  (client) => {
    const rooms = Object.entries(TOPICS).map(([name, topic]) => ({ name, topic, count: count(name) }));
    client.send({ id: client.id, you: client.data, rooms, heartbeat: HEARTBEAT }, { event: 'welcome' });
  },
));

// curl -X POST localhost:3000/rooms/lobby -d 'text=hello'
const BODY = { limit: '8kb' };
app.post('/rooms/:room', express.json(BODY), express.text({ ...BODY, type: ['text', 'urlencoded'] }), (req, res) => {
  const [room] = roomList(req.params.room);
  const { text, name } = messageOf(req);
  if (typeof text !== 'string' || !text.trim()) throw problem(400, 'Say something: the field "text" is empty');
  const message = { room, name: nameOf(name), text: text.trim(), at: Date.now() };
  const { matched } = hub.to(room).send(message, { event: 'message' });
  res.json({ matched });
});

// The state of one client, changed while its stream goes on. Only the page itself knows its client's id.
app.patch('/clients/:id', express.json(BODY), (req, res) => {
  const client = hub.clients.get(req.params.id);
  if (!client) throw problem(404, 'No such client');
  const { rooms, name } = req.body ?? {};
  if (rooms !== undefined) {
    const wanted = roomList(rooms);
    client.leave([...client.rooms].filter((room) => !wanted.includes(room)));
    client.join(wanted);
  }
  if (name !== undefined && nameOf(name) !== client.data.name) {
    client.data.name = nameOf(name);
    for (const room of client.rooms) hub.to(room).send({ room, member: client.data }, { event: 'rename' });
  }
  res.json({ ...client.data, rooms: [...client.rooms] });
});

app.get('/stats', (req, res) => res.json(hub.stats()));

app.use((req, res) => res.status(404).json({ error: `Nothing at ${req.method} ${req.path}` }));
app.use((err, req, res, next) => {
  if (res.headersSent) return next(err);
  const status = err.code === 'ERR_FAN_FULL' || err.code === 'ERR_FAN_CLOSED' ? 503 : err.status ?? 500;
  if (status === 500) console.error(err);
  res.status(status).json({ error: status < 500 ? err.message : 'The server cannot do this now' });
});

function roomList(value) {
  const rooms = [...new Set([value].flat())];
  const known = Object.keys(TOPICS);
  if (!rooms.every((room) => known.includes(room))) throw problem(404, `No such room. There are: ${known.join(', ')}`);
  return rooms;
}

function nameOf(value) {
  return (typeof value === 'string' && value.trim().slice(0, 40)) || 'guest';
}

// JSON, a form, or the bare words: curl -d 'hello' calls every body a form.
function messageOf(req) {
  if (typeof req.body !== 'string') return req.body ?? {};
  const form = new URLSearchParams(req.is('urlencoded') ? req.body : '');
  return form.has('text') ? Object.fromEntries(form) : { text: req.body };
}

function problem(status, message) {
  return Object.assign(new Error(message), { status });
}

const wantedPort = Number(process.env.PORT || 3000);
const server = app.listen(wantedPort, (err) => {
  if (err) {
    const taken = `Port ${wantedPort} is in use. Stop what runs there, or choose another: PORT=${wantedPort + 1} npm start`;
    console.error(err.code === 'EADDRINUSE' ? taken : err.message);
    process.exit(1);
  }
  const at = `localhost:${server.address().port}`;
  console.log(`Rooms is open at http://${at}\n`);
  console.log(`  listen   curl -N '${at}/events?room=lobby'`);
  console.log(`  speak    curl -X POST ${at}/rooms/lobby -d 'text=hello'\n`);
});

for (const signal of ['SIGINT', 'SIGTERM']) {
  process.once(signal, async () => {
    await hub.close({ grace: 1_000 });
    server.close();
  });
}
