'use strict';

// Chat rooms over Server-Sent Events. People listen with GET /events and speak with POST /rooms/:room.
// What travels, by event name:
//   welcome   to one client: its id, its member number, and the rooms there are
//   members   to one client: who is in the room that it has just joined
//   join, leave, message   to a room; rename: to all rooms of the member
//   count     to everyone

const path = require('node:path');
const express = require('express');
const { createHub } = require('fanline');
const { TOPICS, messageOf, nameOf, problem, roomList } = require('./input');

const HEARTBEAT = 15_000;
const PORT = Number(process.env.PORT || 3000);

const hub = createHub({ heartbeat: { interval: HEARTBEAT, event: 'heartbeat' } });
const count = (room) => hub.rooms.get(room) ?? 0;
let people = 0;

hub.on('join', (client, room) => {
  const target = hub.to(room);
  const members = target.clients().map((member) => member.data);
  target.except(client).send({ room, member: client.data }, { event: 'join' });
  client.send({ room, members }, { event: 'members' });
  hub.broadcast({ room, count: count(room) }, { event: 'count' });
});

hub.on('leave', (client, room) => {
  hub.to(room).send({ room, member: client.data }, { event: 'leave' });
  hub.broadcast({ room, count: count(room) }, { event: 'count' });
});

function listener(req) {
  const { room = 'lobby', name } = req.query;
  return { rooms: roomList(room), data: { who: ++people, name: nameOf(name) } };
}

function welcome(client) {
  const rooms = Object.entries(TOPICS).map(([name, topic]) => ({
    name,
    topic,
    count: count(name),
  }));
  const { id, data: you } = client;
  client.send({ id, you, rooms, heartbeat: HEARTBEAT }, { event: 'welcome' });
}

const app = express();
const limit = '8kb';
const json = express.json({ limit });
const plain = express.text({ limit, type: ['text', 'urlencoded'] });

app.use(express.static(path.join(__dirname, 'public')));

// curl -N 'localhost:3000/events?room=lobby&room=music&name=Ada'
app.get('/events', hub.handler(listener, welcome));

// curl -X POST localhost:3000/rooms/lobby -d 'text=hello'
app.post('/rooms/:room', json, plain, (req, res) => {
  const [room] = roomList(req.params.room);
  const message = { room, ...messageOf(req), at: Date.now() };
  const { matched } = hub.to(room).send(message, { event: 'message' });
  res.json({ matched });
});

// Changes a client while its stream goes on. Only the page itself knows its client's id.
app.patch('/clients/:id', json, (req, res) => {
  const client = hub.clients.get(req.params.id);
  if (!client) throw problem(404, 'No such client');
  const { rooms = [...client.rooms], name = client.data.name } = req.body ?? {};

  const wanted = roomList(rooms);
  client.leave([...client.rooms].filter((room) => !wanted.includes(room))).join(wanted);

  if (nameOf(name) !== client.data.name) {
    client.data.name = nameOf(name);
    hub.to([...client.rooms]).send(client.data, { event: 'rename' });
  }
  res.json({ ...client.data, rooms: [...client.rooms] });
});

app.get('/stats', (_req, res) => res.json(hub.stats()));

app.use((req) => {
  throw problem(404, `Nothing at ${req.method} ${req.path}`);
});

app.use((err, _req, res, next) => {
  if (res.headersSent) return next(err);
  const busy = err.code === 'ERR_FAN_FULL' || err.code === 'ERR_FAN_CLOSED';
  const status = busy ? 503 : (err.status ?? 500);
  if (status === 500) console.error(err);
  res.status(status).json({ error: status < 500 ? err.message : 'The server cannot do this now' });
});

const server = app.listen(PORT, (err) => {
  if (err) {
    const taken = `Port ${PORT} is in use. Stop what runs there, or choose another: PORT=${PORT + 1} npm start`;
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
