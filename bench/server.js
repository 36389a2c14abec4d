'use strict';

// One driver in a process of its own. `node server.js DRIVER` listens on a free port and does what run.js says by IPC; CPU time is
// that of the whole process, threads included, from the operating system.

const fs = require('node:fs');
const http = require('node:http');
const { performance } = require('node:perf_hooks');

const driver = require(`./drivers/${process.argv[2]}`)();

const streams = []; // of each client of its own: takes a source

const server = http.createServer((req, res) => {
  if (req.url === '/ping') res.end('pong');
  else if (req.url === '/stream') streams.push(driver.stream(req, res));
  else driver.connect(req, res);
});

const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
const turn = () => new Promise((resolve) => setImmediate(resolve));

function text(number, padding) {
  return `${number} ${process.hrtime.bigint()} ${padding}`;
}

function cpuSeconds() {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1e6;
}

/** CPU time of the JavaScript thread alone, where the kernel tells. */
function jsSeconds() {
  try {
    const line = fs.readFileSync(`/proc/self/task/${process.pid}/schedstat`, 'latin1');
    return Number(line.split(' ')[0]) / 1e9;
  } catch {
    return undefined;
  }
}

/** Pipes a source of its own into each stream, `events` at `hz`; they do not begin together. */
async function runStreams({ events, hz, size }) {
  const padding = 'x'.repeat(size);
  const step = 1000 / hz;
  async function* tokens() {
    const start = performance.now() + Math.random() * step;
    for (let number = 1; number <= events; number++) {
      await sleep(Math.max(0, start + number * step - performance.now()));
      yield text(number, padding);
    }
  }
  const cpu = cpuSeconds();
  const js = jsSeconds();
  const start = performance.now();
  await Promise.all(streams.map((pipe) => pipe(tokens())));
  return { cpu, js, seconds: (performance.now() - start) / 1000 };
}

/** Broadcasts `events` times, `burst` in one stretch of code, stretches at `hz` (0: one in each turn of the event loop). */
async function run({ events, hz, size, burst = 1 }) {
  const padding = 'x'.repeat(size);
  const busy = []; // ms of the JavaScript thread for each broadcast, with the two ticks in which Node writes
  const cpu = cpuSeconds();
  const start = performance.now();
  let number = 1;
  while (number <= events) {
    const before = performance.now();
    for (let i = 0; i < burst && number <= events; i++) driver.broadcast(text(number++, padding));
    await turn();
    if (hz) await turn();
    busy.push(performance.now() - before);
    if (!hz) continue;
    const rest = start + ((number - 1) * 1000) / hz - performance.now();
    if (rest > 0) await sleep(rest);
  }
  const seconds = (performance.now() - start) / 1000;
  busy.sort((a, b) => a - b);
  return { cpu, seconds, busy_p50_ms: busy[busy.length >> 1] };
}

let begun = { cpu: 0, js: 0 };

process.on('message', async (message) => {
  if (message.run) {
    const result = await (message.run.streams ? runStreams : run)(message.run);
    begun = result;
    process.send({ ran: result });
  } else if (message.cpu) {
    // Asked once everything has arrived: what was still queued when run() was through is paid for as well.
    process.send({
      cpu_s: cpuSeconds() - begun.cpu,
      js_s: jsSeconds() - begun.js,
      stats: driver.stats?.(),
      rss: process.memoryUsage.rss(),
    });
  }
});
process.on('disconnect', () => process.exit());

server.listen({ port: 0, host: '127.0.0.1', backlog: 4096 }, () =>
  process.send({ port: server.address().port }),
);
