'use strict';

// A log file in the browser, as it grows. Two ways, the same lines:
//   /events   one tail for all viewers, a room for each level, history: what many people look at
//   /tail     a tail of one's own, which waits when its reader is slow and ends when the reader leaves

const { fork } = require('node:child_process');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const { setTimeout: sleep } = require('node:timers/promises');
const express = require('express');
const { createHub, sse } = require('fanline');
const assets = require('../shared/assets');
const { LEVELS, follow } = require('./follow');
const { LINES_MAX, problem, rateOf, viewOf } = require('./input');

const PORT = Number(process.env.PORT || 3000);
const TAILS_MAX = 20; // of /tail: each is a process

// The file is the server's choice, never the request's. Without LOG_FILE there is one to play with.
const demoDir = process.env.LOG_FILE ? null : fs.mkdtempSync(path.join(os.tmpdir(), 'logs-'));
const FILE = process.env.LOG_FILE || path.join(demoDir, 'shop.log');
if (demoDir) fs.writeFileSync(FILE, '');
const writer = demoDir && fork(path.join(__dirname, 'writer.js'), [FILE]);

// ---- one tail for all

// A viewer is in one room, that of the least level it wants to see; a line goes to the rooms of its own level and of all
// below. So every viewer gets its lines in order, and they are encoded once for each room, not for each viewer.
const hub = createHub({
  snapshot: lastLines,
  retry: { min: 500, max: 1_500 },
  limits: { clients: 1_000 },
});
const roomOf = (level) => `level:${level}`;
const views = LEVELS.map((level) => ({
  level,
  batch: hub.to(roomOf(level)).batch({ delay: 100, events: 500 }),
  recent: [], // for those who come later
}));
let count = 0;
let tail = null;
let isEnding = false;

/** A full hub (readers that are slow in great number) makes us wait, and with us tail. */
async function collect(batch, entry) {
  for (;;) {
    try {
      return batch.send(entry, { event: 'line' });
    } catch (err) {
      if (err.code !== 'ERR_FAN_FULL') throw err;
      await sleep(20);
    }
  }
}

async function publish({ level, text }) {
  const entry = { n: ++count, level, text };
  const most = level === 'notice' ? LEVELS.length - 1 : LEVELS.indexOf(level);
  for (const { batch, recent } of views.slice(0, most + 1)) {
    if (recent.push(entry) >= 2 * LINES_MAX) recent.splice(0, LINES_MAX);
    await collect(batch, entry);
  }
}

async function followForAll() {
  for (let last = LINES_MAX; !isEnding; last = 0) {
    tail = follow(FILE, last);
    try {
      for await (const entries of tail) for (const entry of entries) await publish(entry);
      throw new Error('tail has ended');
    } catch (err) {
      if (isEnding) return;
      await publish({
        level: 'notice',
        text: `${err.message}: trying again, lines may be missing`,
      });
      await sleep(1_000);
    }
  }
}

function viewer(req) {
  const { level, lines } = viewOf(req.query);
  // What waits in the batch belongs to those who are here already: the newcomer has it among its last lines.
  const { batch } = views[LEVELS.indexOf(level)];
  batch.flush();
  return { rooms: roomOf(level), data: { level, lines, until: count } };
}

/** For newcomers, and for those who missed more than the history has. The page begins anew, then. */
function lastLines(client) {
  const { level, lines, until } = client.data;
  client.send({ level, lines }, { event: 'begin' });
  const { recent } = views[LEVELS.indexOf(level)];
  const before = recent.filter(({ n }) => n <= until);
  return client.pipe(lines > 0 ? before.slice(-lines) : [], { event: 'line', end: false });
}

// ---- a tail of one's own

const own = new Set();

function ownTail(req, res, next) {
  const { level, lines } = viewOf(req.query);
  if (own.size >= TAILS_MAX) throw problem(503, 'Too many tails are running. Try again later.');
  const least = LEVELS.indexOf(level);
  const isShown = (entry) => entry.level === 'notice' || LEVELS.indexOf(entry.level) >= least;
  const asEvent = (entries) => {
    const items = entries.filter(isShown).map((entry) => ({ event: 'line', data: entry }));
    return items.length > 0 ? { event: 'batch', data: items } : undefined; // as Target.batch has it
  };

  const client = sse(req, res);
  own.add(client);
  client.on('close', () => own.delete(client));
  // Not the end of the file but of tail itself: then the viewer should come back.
  const closed = client.pipe(() => follow(FILE, lines), { map: asEvent, end: false });
  closed.then(() => client.close(), next);
}

// ---- the app

const app = express();
app.use(express.static(path.join(__dirname, 'public')), assets());

// curl -N 'localhost:3000/events?level=warn&lines=10'
app.get('/events', hub.handler(viewer));

// curl -N 'localhost:3000/tail?lines=10'
app.get('/tail', ownTail);

app.get('/about', (_req, res) => {
  res.json({ file: path.basename(FILE), isDemo: demoDir !== null });
});

// curl localhost:3000/writer -H 'Content-Type: application/json' -d '{"rate":5000}'
app.post('/writer', express.json({ limit: '1kb' }), (req, res) => {
  if (!writer) throw problem(404, 'This file is not written by the example');
  const rate = rateOf(req.body);
  writer.send({ rate });
  res.json({ rate });
});

app.use((req) => {
  throw problem(404, `Nothing at ${req.method} ${req.path}`);
});

app.use((err, _req, res, next) => {
  if (res.headersSent) return next(err);
  const busy = err.code === 'ERR_FAN_FULL' || err.code === 'ERR_FAN_CLOSED';
  const status = busy ? 503 : (err.status ?? 500);
  if (status === 500) console.error(err);
  res.status(status).json({ error: err.status ? err.message : 'The server cannot do this now' });
});

const server = app.listen(PORT, (err) => {
  if (err) {
    const taken = `Port ${PORT} is in use. Stop what runs there, or choose another: PORT=${PORT + 1}`;
    console.error(err.code === 'EADDRINUSE' ? taken : err.message);
    writer?.kill();
    process.exit(1);
  }
  const at = `localhost:${server.address().port}`;
  console.log(`Logs is open at http://${at}\n`);
  console.log(`  all viewers, one tail   curl -N '${at}/events?level=warn&lines=10'`);
  console.log(`  a tail of your own      curl -N '${at}/tail?lines=10'\n`);
  followForAll();
});

for (const signal of ['SIGINT', 'SIGTERM']) {
  process.once(signal, async () => {
    isEnding = true;
    writer?.kill();
    tail?.destroy();
    for (const client of own) client.close();
    await hub.close({ grace: 1_000 });
    server.close();
    if (demoDir) fs.rmSync(demoDir, { recursive: true, force: true });
  });
}
