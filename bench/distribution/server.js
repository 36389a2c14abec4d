'use strict';

// One server process: `node server.js DRIVER INDEX REDIS-PORT LIBRARY SETTINGS`. It does what it is told by IPC (venue.js).

const http = require('node:http');
const { performance } = require('node:perf_hooks');
const connect = require('./connection');

const [name, index, redisPort, library, json] = process.argv.slice(2);
const settings = JSON.parse(json);
const server = http.createServer();
const padding = 'x'.repeat(settings.size);
const turn = () => new Promise((resolve) => setImmediate(resolve));
let number = 0; // of the last that was sent

const next = () => `${index} ${++number} ${process.hrtime.bigint()} ${padding}`;

/** As fast as it goes, for so long: `burst` in each turn of the event loop, at most `window` on their way. */
async function flood(driver, seconds, room) {
  const end = performance.now() + seconds * 1000;
  while (performance.now() < end) {
    let last;
    for (let i = 0; i < settings.burst; i++) last = driver.send(next(), room);
    await driver.paced(number, last);
    await turn();
  }
}

/** So many a second, one at a time. */
async function steady(driver, seconds, hz) {
  const start = performance.now();
  for (let i = 0; i < seconds * hz; i++) {
    const rest = start + (i * 1000) / hz - performance.now();
    if (rest > 0) await new Promise((resolve) => setTimeout(resolve, rest));
    driver.send(next());
  }
}

async function main() {
  const driver = await require(`./drivers/${name}`)(
    server,
    await connect(library, Number(redisPort)),
    settings,
  );
  process.on('message', async ({ id, act, seconds, hz, room }) => {
    if (act === 'flood') await flood(driver, seconds, room);
    else if (act === 'steady') await steady(driver, seconds, hz);
    const { user, system } = process.cpuUsage();
    process.send({ id, sent: number, cpu_s: (user + system) / 1e6, stats: driver.stats?.() });
  });
  server.listen({ port: 0, host: '127.0.0.1' }, () => {
    process.send({ id: 0, port: server.address().port });
  });
}

process.on('disconnect', () => process.exit());
main();
