'use strict';

// A board of notes that any number of tabs looks at through one stream: a SharedWorker holds the EventSource, and hands what
// arrives to its tabs (public/worker.js). The server knows nothing of this. What travels, by event name:
//   notes     to one client: the last notes, when its stream begins
//   note      to everyone: { text, at }
//   streams   to everyone: how many streams are open

const path = require('node:path');
const express = require('express');
const { createHub } = require('fanline');
const assets = require('../shared/assets');

const PORT = Number(process.env.PORT || 3000);
const KEPT = 50; // notes
const LONGEST = 280; // characters of a note

const notes = [];
const hub = createHub({
  snapshot: (client) => client.send(notes, { event: 'notes' }),
});
const tellStreams = () => hub.broadcast(hub.size, { event: 'streams', key: 'streams' });
hub.on('connect', tellStreams);
hub.on('disconnect', tellStreams);

const app = express();
app.use(assets());
app.use(express.static(path.join(__dirname, 'public')));

// curl -N localhost:3000/events
app.get('/events', hub.handler({}));

// curl localhost:3000/notes -H 'Content-Type: application/json' -d '{"text":"hello"}'
app.post('/notes', express.json({ limit: '4kb' }), (req, res) => {
  const text = typeof req.body?.text === 'string' ? req.body.text.trim().slice(0, LONGEST) : '';
  if (!text) return res.status(400).json({ error: 'Write something: the field "text" is empty' });
  const note = { text, at: Date.now() };
  notes.push(note);
  if (notes.length > KEPT) notes.shift();
  hub.broadcast(note, { event: 'note' });
  return res.status(201).json(note);
});

app.use((req, res) => res.status(404).json({ error: `Nothing at ${req.method} ${req.path}` }));

app.use((err, _req, res, next) => {
  if (res.headersSent) return next(err);
  const busy = err.code === 'ERR_FAN_FULL' || err.code === 'ERR_FAN_CLOSED';
  const status = busy ? 503 : (err.status ?? 500);
  if (status === 500) console.error(err);
  return res
    .status(status)
    .json({ error: status < 500 ? err.message : 'The server cannot do this now' });
});

const server = app.listen(PORT, (err) => {
  if (err) {
    const taken = `Port ${PORT} is in use. Stop what runs there, or choose another: PORT=${PORT + 1}`;
    console.error(err.code === 'EADDRINUSE' ? taken : err.message);
    process.exit(1);
  }
  console.log(`One stream is open at http://localhost:${server.address().port}`);
});

for (const signal of ['SIGINT', 'SIGTERM']) {
  process.once(signal, async () => {
    await hub.close({ grace: 1_000 });
    server.close();
  });
}
