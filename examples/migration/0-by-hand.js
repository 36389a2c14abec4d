'use strict';

// Step 0: Server-Sent Events by hand. Works on one machine with good readers; README.md tells what else it does.

const { createApp, listen } = require('./app');
const { goal, line, scoresOf, watched } = require('./matches');

const HEARTBEAT = Number(process.env.HEARTBEAT ?? 15_000); // ms
const KEPT = 200; // events for those who come back

const clients = new Set(); // every open response
const rooms = new Map(); // match → Set of the responses of those who watch it
const history = []; // { id, match, name, data }
let lastId = 0;

const app = createApp();

app.get('/events', (req, res) => {
  const matches = watched(req.query.match);

  res.writeHead(200, {
    'Content-Type': 'text/event-stream',
    'Cache-Control': 'no-cache',
    Connection: 'keep-alive',
    'X-Accel-Buffering': 'no',
  });
  res.write('retry: 3000\n\n');

  const lastEventId = Number(req.headers['last-event-id']);
  if (lastEventId) {
    for (const { id, match, name, data } of history) {
      if (id > lastEventId && matches.includes(match)) {
        res.write(`id: ${id}\n`);
        res.write(`event: ${name}\n`);
        res.write(`data: ${JSON.stringify(data)}\n\n`);
      }
    }
  } else {
    res.write('event: scores\n');
    res.write(`data: ${JSON.stringify(scoresOf(matches))}\n\n`);
  }

  clients.add(res);
  for (const match of matches) {
    if (!rooms.has(match)) rooms.set(match, new Set());
    rooms.get(match).add(res);
    tellWatching(match);
  }

  res.on('close', () => {
    clients.delete(res);
    for (const match of matches) {
      rooms.get(match).delete(res);
      if (rooms.get(match).size === 0) rooms.delete(match);
      tellWatching(match);
    }
  });
});

const heartbeat = setInterval(() => {
  for (const res of clients) res.write(': heartbeat\n\n');
}, HEARTBEAT);

function tellWatching(match) {
  const watchers = rooms.get(match) ?? new Set();
  for (const res of watchers) {
    res.write('event: watching\n');
    res.write(`data: ${JSON.stringify({ match, count: watchers.size })}\n\n`);
  }
}

function publish(match, name, data) {
  const id = ++lastId;
  const watchers = rooms.get(match) ?? new Set();
  for (const res of watchers) {
    res.write(`id: ${id}\n`);
    res.write(`event: ${name}\n`);
    res.write(`data: ${JSON.stringify(data)}\n\n`);
  }
  history.push({ id, match, name, data });
  if (history.length > KEPT) history.shift();
  return watchers.size;
}

app.post('/matches/:match/goals', (req, res) => {
  const data = goal(req.params.match, req.body);
  res.json({ told: publish(data.match, 'goal', data) });
});

app.post('/matches/:match/lines', (req, res) => {
  const { kind, data } = line(req.params.match, req.body);
  res.json({ told: publish(data.match, kind, data) });
});

listen(app, 'step 0: by hand', () => {
  clearInterval(heartbeat);
  for (const res of clients) res.end();
});
