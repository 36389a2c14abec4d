'use strict';

// Workers that reach a stage and end in every way, one after the other:   node --expose-gc workers.js STAGE
// The main thread has a hub of its own meanwhile. Fails when a thread or a descriptor is left.

const assert = require('node:assert/strict');
const fs = require('node:fs');
const net = require('node:net');
const { on } = require('node:events');
const { Worker, isMainThread, parentPort } = require('node:worker_threads');
const { PEERS, run } = require('./stages');

const [stage, ownWay] = process.argv.slice(2);

const WAYS = {
  terminate: () => parentPort.postMessage({ end: true }),
  'terminate at once': () => {},
  'process.exit': () => process.exit(7),
  throw: () => {
    throw new Error('on purpose');
  },
  naturally: ({ server, hub, flood }) => {
    clearInterval(flood);
    server.close();
    hub.close({ grace: 20 });
    // Hubs of their own are closed by nobody: the peers are cut with their sockets.
    setTimeout(() => server.closeAllConnections(), 50);
  },
};
/** Terminated in the middle of a flood: more often than anything else. */
const TERMINATED = stage === 'in the middle of a flood' ? 20 : 3;
const ROUNDS = {
  terminate: { code: 1, rounds: TERMINATED },
  'terminate at once': { code: 1, rounds: 6 },
  'process.exit': { code: 7, rounds: 2 },
  throw: { code: 1, rounds: 2 },
  naturally: { code: 0, rounds: 1 },
};

function left() {
  return {
    threads: fs.readdirSync('/proc/self/task').length,
    descriptors: fs.readdirSync('/proc/self/fd').length,
  };
}

/** One worker, from its start to its end. */
async function round(way, number) {
  const worker = new Worker(__filename, { argv: [stage, way] });
  const exited = new Promise((resolve) => worker.on('exit', resolve));
  const errors = [];
  worker.on('error', (err) => errors.push(err.message));
  const messages = on(worker, 'message');
  const [{ port }] = (await messages.next()).value;
  const peers = Array.from({ length: PEERS }, () => {
    const conn = net.connect(port, '127.0.0.1');
    conn.write('GET / HTTP/1.1\r\nHost: x\r\n\r\n');
    conn.on('error', () => {});
    if (way === 'naturally') conn.resume();
    return { conn, closed: new Promise((resolve) => conn.on('close', resolve)) };
  });
  if (way === 'terminate') await messages.next();
  if (way === 'terminate at once') await new Promise((ok) => setTimeout(ok, number % 10));
  if (way.startsWith('terminate')) await worker.terminate();
  const code = await exited;
  assert.equal(code, ROUNDS[way].code, `${way}: ${errors}`);
  assert.deepEqual(errors, way === 'throw' ? ['on purpose'] : []);
  for (const { conn, closed } of peers) {
    conn.resume();
    await closed;
  }
}

async function main() {
  run(
    'with idle clients',
    () => {},
    () => {},
  );
  await round('terminate', 0); // whatever Node makes once and keeps
  await round('naturally', 0);
  const before = left();
  for (const way in ROUNDS) for (let i = 0; i < ROUNDS[way].rounds; i++) await round(way, i);
  const limit = Date.now() + 3_000;
  for (;;) {
    const now = left();
    if (now.threads <= before.threads && now.descriptors <= before.descriptors) break;
    if (Date.now() > limit) assert.deepEqual(now, before);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  process.exit(0); // its own server is still there
}

if (isMainThread) main();
else run(stage, (port) => parentPort.postMessage({ port }), WAYS[ownWay]);
