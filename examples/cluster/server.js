'use strict';

// One process of several. What it sends reaches the tabs of all of them, for all are on one stream of Redis.
// What travels, by event name:
//   message   to everyone, and kept for those who come back: what somebody says, and a tick of each process every 3 s
//   process   to everyone, each second: this process is alive
//   tabs      to the tabs of this process, each second: how many tabs each process has
// What stays in this process, because it is for one client:
//   welcome   which process serves it
//   redis     whether Redis answers

const path = require('node:path');
const { setTimeout: delay } = require('node:timers/promises');
const express = require('express');
const { createHub } = require('fanline');
const { redisAdapter } = require('fanline/redis');
const { Redis } = require('ioredis');
const assets = require('../shared/assets');
const { isFromHere, problem, textOf } = require('./input');

const PORT = Number(process.env.PORT || 3001);
const NAME = process.env.NAME || 'A';
const NAMES = (process.env.NAMES || NAME).split(','); // of all processes
const REDIS_URL = process.env.REDIS_URL || 'redis://localhost:6379';
const isKept = process.send !== undefined; // by start.js, which starts it again when it has died
const TICK = 3_000;
const BEAT = 1_000;

const redis = new Redis(REDIS_URL, { retryStrategy: (tries) => Math.min(100 * tries, 1_000) });
redis.on('error', () => {}); // the hub tells it: see below

const hub = createHub({
  adapter: redisAdapter(redis, { prefix: 'cluster-example' }),
  retry: { min: 500, max: 1_500 }, // few tabs, and one wants to see it; the default is kinder to a server that starts
  limits: { clients: 1_000, queueBytes: 1 << 20, stallTimeout: 10_000 },
});

const me = { process: NAME, pid: process.pid, since: Date.now() };
let redisIs = 'connecting';
let said = 0;
let isEnding = false;

hub.on('adapter', ({ state, error }) => {
  redisIs = state;
  console.log(`redis is ${state}${error ? `: ${error.message}` : ''}`);
  for (const client of hub.clients.values()) client.send({ state }, { event: 'redis' });
});

/** Numbered, so that a page can see whether one is missing. */
function say(text) {
  const message = { ...me, n: said + 1, text, at: Date.now() };
  const receipt = hub.broadcast(message, { event: 'message' });
  said += 1;
  return { n: message.n, receipt };
}

/** A room of each process with the clients that it serves: only so that they can be counted from anywhere. */
const roomOf = (name) => `served by ${name}`;

/** Not kept, and only the latest counts: with a `key` it takes the place of one that still waits. */
function beat() {
  hub.broadcast(me, { event: 'process', key: `process ${NAME}` });
}

async function tellTabs() {
  if (hub.size === 0) return;
  const counts = await Promise.all(
    NAMES.map(async (name) => {
      const { size } = await hub.presence({ room: roomOf(name), limit: 0 }); // over all processes
      return [name, size];
    }),
  );
  const event = { event: 'tabs', key: 'tabs' };
  hub.to(roomOf(NAME)).send(Object.fromEntries(counts), event);
}

const app = express();
app.set('trust proxy', 'loopback'); // what nginx says about who asks
app.use((_req, res, next) => {
  res.set('X-Served-By', NAME);
  next();
});
app.use(assets());
app.use(express.static(path.join(__dirname, 'public')));

// curl -N localhost:3000/events
app.get(
  '/events',
  hub.handler({ rooms: roomOf(NAME) }, (client) => {
    const { lastEventId } = client;
    const welcome = { ...me, names: NAMES, redis: redisIs, at: Date.now(), canKill: isKept };
    client.send({ ...welcome, isBack: lastEventId !== undefined }, { event: 'welcome' });
  }),
);

// curl localhost:3000/messages -d text=hello
app.post(
  '/messages',
  express.json({ limit: '8kb' }),
  express.urlencoded({ limit: '8kb', extended: false }),
  async (req, res) => {
    const { n, receipt } = say(textOf(req.body));
    const id = await receipt.accepted; // Redis has it: from here on it is lost no more
    res.status(201).json({ process: NAME, n, id });
  },
);

// curl -X POST localhost:3000/kill/B
app.post('/kill/:name', (req, res) => {
  const { name } = req.params;
  if (!isKept) throw problem(404, 'Nobody would start it again: see start.js');
  if (!isFromHere(req)) throw problem(403, 'Only from this machine');
  if (![...NAMES, 'redis'].includes(name)) throw problem(404, 'No such process');
  res.on('finish', () => process.send({ kill: name })); // it may be this one
  res.status(202).json({ killed: name });
});

app.use((req) => {
  throw problem(404, `Nothing at ${req.method} ${req.path}`);
});

app.use((err, _req, res, next) => {
  if (res.headersSent) return next(err);
  const isBusy = ['ERR_FAN_ADAPTER', 'ERR_FAN_CLOSED', 'ERR_FAN_FULL'].includes(err.code);
  const status = isBusy ? 503 : (err.status ?? 500);
  if (status === 500) console.error(err);
  res.status(status).json({ error: status < 500 ? err.message : 'The server cannot do this now' });
});

const server = app.listen(PORT, '127.0.0.1', (err) => {
  if (err) {
    console.error(err.code === 'EADDRINUSE' ? `Port ${PORT} is in use.` : err.message);
    process.exit(1);
  }
  console.log(`Process ${NAME} is open at http://localhost:${server.address().port}`);
  process.send?.({ isReady: true });
});

/** Again and again; an answer may take 2 s after a process has died. */
async function keepTelling() {
  while (!isEnding) {
    await tellTabs().catch(() => {}); // Redis is away: the hub's `adapter` event tells it
    await delay(BEAT, undefined, { ref: false });
  }
}

const timers = [setInterval(beat, BEAT), setInterval(say, TICK, null)];
keepTelling();

for (const signal of ['SIGINT', 'SIGTERM']) {
  process.once(signal, async () => {
    isEnding = true;
    for (const timer of timers) clearInterval(timer);
    await hub.close({ grace: 1_000 });
    server.close();
    redis.disconnect(); // the connection is the application's
  });
}
