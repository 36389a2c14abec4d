'use strict';

// Metrics of this machine, once a second, for all who watch. What travels, by event name:
//   history   to one client, when it comes: the last minutes at once, by columns, and what does not change
//   sample    to everyone: the last second. Its key says that only the latest matters

const path = require('node:path');
const express = require('express');
const { createHub } = require('fanline');
const assets = require('../shared/assets');
const { about, samples } = require('./sample');

const PORT = Number(process.env.PORT || 3000);
const INTERVAL = Number(process.env.INTERVAL || 1_000); // ms
const KEPT = 300_000; // ms

// Without history there are no cursors: whoever comes, or comes back, is told all by the snapshot.
const hub = createHub({
  history: false,
  snapshot: tellHistory,
  retry: { min: 500, max: 1_500 },
  limits: { clients: 1_000 },
});
let kept = []; // samples, oldest first
let watching = null; // AbortController while somebody watches

async function tellHistory(client) {
  const names = Object.keys(kept[0] ?? {});
  const columns = Object.fromEntries(names.map((name) => [name, kept.map((one) => one[name])]));
  client.send(
    { interval: INTERVAL, kept: KEPT, columns, about: await about() },
    { event: 'history' },
  );
}

async function watch(signal) {
  try {
    for await (const sample of samples(hub, INTERVAL, signal)) {
      kept = [...kept, sample].filter(({ at }) => at > sample.at - KEPT);
      hub.broadcast(sample, { event: 'sample', key: 'sample' });
    }
  } catch (err) {
    if (!signal.aborted) throw err;
  }
}

hub.on('connect', () => {
  if (watching) return;
  watching = new AbortController();
  watch(watching.signal);
});

hub.on('disconnect', () => {
  if (hub.size > 0) return;
  watching.abort();
  watching = null;
});

const app = express();
app.use(express.static(path.join(__dirname, 'public')), assets());
app.use('/uplot', express.static(path.dirname(require.resolve('uplot/dist/uPlot.esm.js'))));

// curl -N localhost:3000/events
app.get('/events', hub.handler({}));

app.get('/stats', (_req, res) => res.json(hub.stats()));

// For something to see: the event loop stands still for a moment, as it does where code is too slow.
app.post('/block', (_req, res) => {
  const until = Date.now() + 400;
  while (Date.now() < until);
  res.json({ blocked: 400 });
});

app.use((req, res) => {
  res.status(404).json({ error: `Nothing at ${req.method} ${req.path}` });
});

const server = app.listen(PORT, (err) => {
  if (err) {
    const taken = `Port ${PORT} is in use. Stop what runs there, or choose another: PORT=${PORT + 1}`;
    console.error(err.code === 'EADDRINUSE' ? taken : err.message);
    process.exit(1);
  }
  console.log(`Dashboard is open at http://localhost:${server.address().port}`);
});

for (const signal of ['SIGINT', 'SIGTERM']) {
  process.once(signal, async () => {
    await hub.close({ grace: 1_000 });
    server.close();
  });
}
