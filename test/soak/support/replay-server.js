'use strict';

// A server in a process of its own whose hub keeps `events` numbered events of one room. `/replay` are clients that have missed all
// of them, `/live` are clients that have missed nothing. From `{ live: ms }` on, until `{}`, more
// are sent, one every `ms`; the answer tells how long the turns of the JavaScript thread were meanwhile, and what the loop's thread did before it wrote a live event.
//
// Both in processor time: what else runs on this machine, the readers among it, delays everybody.
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

function threads() {
  return fs.readdirSync('/proc/self/task');
}

/** Processor time that a thread of this process has had, and for how long it has waited for a processor; ms. */
function usage(thread) {
  const [run, waited] = fs.readFileSync(`/proc/self/task/${thread}/schedstat`, 'utf8').split(' ');
  return { run: Number(run) / 1e6, waited: Number(waited) / 1e6 };
}

/** Looks at the turns of this thread, one after the other. */
function watchTurns() {
  const seen = { longest: 0, blocked: 0 }; // ms; how many were long without work and without waiting for a processor
  let last = { now: performance.now(), ...usage(process.pid) };
  const timer = setInterval(() => {
    const present = { now: performance.now(), ...usage(process.pid) };
    const awake = present.now - last.now - (present.waited - last.waited);
    if (awake > LONG) seen.blocked++;
    seen.longest = Math.max(seen.longest, present.run - last.run);
    last = present;
  }, 1);
  return () => {
    clearInterval(timer);
    return seen;
  };
}

/** How much the loop's thread has done until an event for the live clients is written. */
async function work() {
  const before = usage(loop).run;
  await hub.to('live').deliver('through', { history: false, event: 'through' });
  return usage(loop).run - before;
}

let goesOn = false;

async function live(ms) {
  const unwatch = watchTurns();
  const works = [];
  for (goesOn = true; goesOn; ) {
    send();
    works.push(work());
    await new Promise((resolve) => setTimeout(resolve, ms));
  }
  const most = Math.max(...(await Promise.all(works)));
  return { turns: unwatch(), work: most, sent, ended, stats: hub.stats() };
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
