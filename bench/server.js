'use strict';

// One driver in a process of its own. `node server.js DRIVER` listens on a free port and does what run.js says by IPC; CPU time is
// that of the whole process, threads included, from the operating system.

const http = require('node:http');
const { performance } = require('node:perf_hooks');

const driver = require(`./drivers/${process.argv[2]}`)();

const server = http.createServer((req, res) => {
  if (req.url === '/ping') res.end('pong');
  else driver.connect(req, res);
});

const turn = () => new Promise((resolve) => setImmediate(resolve));

function text(number, padding) {
  return `${number} ${process.hrtime.bigint()} ${padding}`;
}

function cpuSeconds() {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1e6;
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
    if (rest > 0) await new Promise((resolve) => setTimeout(resolve, rest));
  }
  const seconds = (performance.now() - start) / 1000;
  busy.sort((a, b) => a - b);
  return { cpu, seconds, busy_p50_ms: busy[busy.length >> 1] };
}

let begun = 0;

process.on('message', async (message) => {
  if (message.run) {
    const result = await run(message.run);
    begun = result.cpu;
    process.send({ ran: result });
  } else if (message.cpu) {
    // Asked once everything has arrived: what was still queued when run() was through is paid for as well.
    process.send({
      cpu_s: cpuSeconds() - begun,
      stats: driver.stats?.(),
      rss: process.memoryUsage.rss(),
    });
  }
});
process.on('disconnect', () => process.exit());

server.listen({ port: 0, host: '127.0.0.1', backlog: 4096 }, () =>
  process.send({ port: server.address().port }),
);
