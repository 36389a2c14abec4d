'use strict';

// A server in a process of its own whose hub keeps `events` numbered events of one room. `/replay` are clients that have missed all
// of them, `/live` are clients that have missed nothing. From `{ live: ms }` on, until `{}`, more are sent, one every `ms`; the answer
// tells how long the turns of this thread were meanwhile, and of the live event that was written last of all what it waited for.
//
//     node replay-server.js '{ "events", "size", "hub": options }'

const fs = require('node:fs');
const http = require('node:http');
const { createHub } = require('../../..');

const { events, size, hub: options } = JSON.parse(process.argv[2]);
const hub = createHub({ heartbeat: false, retry: false, ...options });
const room = hub.to('r');
const LONG = 20; // ms
const ended = [];
hub.on('disconnect', (_client, reason) => ended.push(reason));

const padding = 'x'.repeat(size);
let sent = 0;
let loop; // its thread
let first; // the id of an event that everybody has got

function send() {
  return room.send(`${++sent} ${process.hrtime.bigint()} ${padding}`);
}

/** By pieces: the inbox has a limit. */
async function fill() {
  const others = threads();
  first = await room.send('first').accepted;
  [loop] = threads().filter((thread) => !others.includes(thread));
  while (sent < events) {
    for (let i = 0; i < 500 && sent < events; i++) send();
    while (hub.stats().inboxBytes > 0) await new Promise(setImmediate);
  }
}

/** Processor time that a thread of this process has had, and for how long it has waited for a processor; ms. */
function usage(thread) {
  const [run, waited] = fs.readFileSync(`/proc/self/task/${thread}/schedstat`, 'utf8').split(' ');
  return { run: Number(run) / 1e6, waited: Number(waited) / 1e6 };
}

/** Looks at the turns of this thread, one after the other. */
function watchTurns() {
  const seen = { longest: 0, wall: 0, blocked: 0 }; // ms; how many were long without work and without waiting for a processor
  let last = { now: performance.now(), ...usage(process.pid) };
  const timer = setInterval(() => {
    const present = { now: performance.now(), ...usage(process.pid) };
    const awake = present.now - last.now - (present.waited - last.waited);
    if (awake > LONG) seen.blocked++;
    seen.wall = Math.max(seen.wall, present.now - last.now);
    seen.longest = Math.max(seen.longest, present.run - last.run);
    last = present;
  }, 1);
  return () => {
    clearInterval(timer);
    return seen;
  };
}

function threads() {
  return fs.readdirSync('/proc/self/task');
}

/** How long it takes until an event for the live clients is written, and of that, how long the loop worked or waited for a processor. */
async function written() {
  const begun = performance.now();
  const before = usage(loop);
  await hub.to('live').deliver('through', { history: false, event: 'through' });
  const { run, waited } = usage(loop);
  const ms = performance.now() - begun;
  return { ms, worked: run - before.run, waited: waited - before.waited };
}

let goesOn = false;

async function live(ms) {
  const unwatch = watchTurns();
  const times = [];
  for (goesOn = true; goesOn; ) {
    send();
    times.push(written());
    await new Promise((resolve) => setTimeout(resolve, ms));
  }
  const [slowest] = (await Promise.all(times)).sort((a, b) => b.ms - a.ms);
  return { turns: unwatch(), slowest, sent, ended, stats: hub.stats() };
}

process.on('message', async ({ live: ms }) => {
  if (ms > 0) process.send(await live(ms));
  else goesOn = false;
});
process.on('disconnect', () => process.exit());

const server = http.createServer((req, res) => {
  const name = req.url.slice(1);
  hub.connect(req, res, {
    rooms: ['r', name],
    lastEventId: name === 'replay' ? first : undefined,
  });
});

fill().then(() => {
  server.listen({ port: 0, host: '127.0.0.1', backlog: 1_024 }, () => {
    process.send({ port: server.address().port, stats: hub.stats() });
  });
});
