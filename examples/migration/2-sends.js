'use strict';

// Step 2: sends in place of writes, one at a time. No line of an event is put together here any more.

const { createHub } = require('fanline');
const { createApp, listen } = require('./app');
const { goal, line, scoresOf, watched } = require('./matches');

const HEARTBEAT = Number(process.env.HEARTBEAT ?? 15_000); // ms
const KEPT = 200; // events for those who come back

const rooms = new Map(); // match → Set of the ids of the clients that watch it
const history = []; // { id, match, name, data }
let lastId = 0;

const hub = createHub({
  heartbeat: HEARTBEAT,
  history: false, // ids are still ours
  limits: { queueBytes: 1 << 20 }, // what may wait for one reader
});
const app = createApp();

app.get('/events', (req, res) => {
  const matches = watched(req.query.match);

  const client = hub.connect(req, res);

  const lastEventId = Number(req.headers['last-event-id']);
  if (lastEventId) {
    for (const { id, match, name, data } of history) {
      if (id > lastEventId && matches.includes(match)) {
        client.send(data, { event: name, id });
      }
    }
  } else {
    client.send(scoresOf(matches), { event: 'scores' });
  }

  for (const match of matches) {
    if (!rooms.has(match)) rooms.set(match, new Set());
    rooms.get(match).add(client.id);
    tellWatching(match);
  }

  client.on('close', () => {
    for (const match of matches) {
      rooms.get(match).delete(client.id);
      if (rooms.get(match).size === 0) rooms.delete(match);
      tellWatching(match);
    }
  });
});

function tellWatching(match) {
  const watchers = [...(rooms.get(match) ?? [])];
  hub.client(watchers).send({ match, count: watchers.length }, { event: 'watching' });
}

function publish(match, name, data) {
  const id = ++lastId;
  const watchers = [...(rooms.get(match) ?? [])];
  const { matched } = hub.client(watchers).send(data, { event: name, id });
  history.push({ id, match, name, data });
  if (history.length > KEPT) history.shift();
  return matched;
}

app.post('/matches/:match/goals', (req, res) => {
  const data = goal(req.params.match, req.body);
  res.json({ told: publish(data.match, 'goal', data) });
});

app.post('/matches/:match/lines', (req, res) => {
  const { kind, data } = line(req.params.match, req.body);
  res.json({ told: publish(data.match, kind, data) });
});

listen(app, 'step 2: sends', () => hub.close({ grace: 1_000 }));
