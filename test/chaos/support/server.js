'use strict';

// One of the processes: a hub on Redis, streams for clients, and a publisher. It tells its parent of every send before it makes
// it, and of every answer it gets; what the parent has not been told when this process is killed may have happened or not.

const http = require('node:http');
const { createRequire } = require('node:module');
const path = require('node:path');
const { createHub } = require('fanline');
const { redisAdapter } = require('fanline/redis');
const { Random } = require('../../js/support/random');
const { EVERYONE, address, encode, namesOf, roomsOf, size } = require('./events');

const packages = createRequire(path.join(__dirname, '..', '..', 'redis', 'package.json'));
const { by, seed, redisPort, library, hasExpress, maxLen, maxPendingBytes, history } = JSON.parse(
  process.argv[2],
);
const RETRY = { min: 50, max: 400 };
const ASKED = 0.1; // of all sends
const BURST = 150; // events at once: many are on their way when something is killed

const random = new Random(seed);
let sent = 0;
let pending = 0;
let timer = null;

function application() {
  const lib = packages(library);
  if (library.startsWith('ioredis')) {
    const client = new lib.Redis(redisPort, '127.0.0.1');
    client.on('error', () => {}); // the hub's `adapter` event tells it
    return client;
  }
  const client = lib.createClient({ socket: { port: redisPort, host: '127.0.0.1' } });
  client.on('error', () => {});
  client.connect().catch(() => {});
  return client;
}

const hub = createHub({
  adapter: redisAdapter(application(), { maxLen, maxPendingBytes }),
  history,
  retry: RETRY,
  heartbeat: { interval: 1_000 },
});
hub.on('adapter', ({ state, error }) => process.send(['adapter', by, state, error?.message]));

function decide(req) {
  const client = Number(new URL(req.url, 'http://x').searchParams.get('client'));
  return { rooms: namesOf(roomsOf(client)) };
}

function target(to) {
  const whom = to.in === EVERYONE ? hub : hub.to(namesOf(to.in));
  return whom.except(namesOf(to.ex));
}

/** @returns {Promise<string>} the id. Of some it is asked what becomes of them, which must change nothing */
async function accepted(whom, data) {
  if (random.chance(ASKED)) return (await whom.deliver(data)).id;
  return whom.send(data).accepted;
}

async function publish() {
  const number = ++sent;
  const to = address(random);
  const data = encode(by, number, to, size(random));
  process.send(['sent', by, number, to, Date.now()]);
  pending++;
  try {
    process.send(['accepted', by, number, await accepted(target(to), data)]);
  } catch (err) {
    process.send(['refused', by, number, `${err.code}: ${err.message}`]);
  }
  pending--;
}

/** @param {{perSecond: number}} how */
function begin({ perSecond }) {
  const step = () => {
    publish();
    timer = setTimeout(step, (random.next() * 2 * 1_000) / perSecond);
  };
  step();
}

function burst() {
  for (let i = 0; i < BURST; i++) publish();
}

async function stop() {
  clearTimeout(timer);
  while (pending > 0) await new Promise((resolve) => setTimeout(resolve, 10));
  process.send(['stopped', by]);
}

function makeApp() {
  if (!hasExpress) return hub.handler(decide);
  const app = require('express')();
  app.get('/', hub.handler(decide));
  return app;
}

process.on('message', ([what, how]) => {
  if (what === 'begin') begin(how);
  else if (what === 'burst') burst();
  else stop();
});
process.on('disconnect', () => process.exit());

const server = http.createServer(makeApp());
server.listen(0, '127.0.0.1', () => process.send(['up', by, server.address().port]));
