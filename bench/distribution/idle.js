'use strict';

// node bench/distribution/idle.js [--client ioredis|redis] [--seconds N] [--rates 100,1000,5000] [--size N] [--clients N]
//
// What a busy room costs a process that hosts nobody of it: CPU, from the kernel, of four processes on one Redis. One sends to the
// room at a steady rate; one hosts all of its members; one, the bystander, as many clients in a quiet room; and one, idle, as
// many under another prefix, where nothing is sent. Members read in a process of their own.

const fs = require('node:fs');
const http = require('node:http');
const { setTimeout: delay } = require('node:timers/promises');
const { Child } = require('./venue');

const TICK = 10; // ms between two sends of the sender
const ROLES = ['sender', 'host', 'bystander', 'idle'];

/** CPU seconds of all threads of a process, to the ns: what runs for less than a tick of the kernel counts, too. */
function cpuOf(pid) {
  const tasks = fs.readdirSync(`/proc/${pid}/task`);
  const nsOf = (task) =>
    Number(fs.readFileSync(`/proc/${pid}/task/${task}/schedstat`, 'latin1').split(' ')[0]);
  return tasks.reduce((sum, task) => sum + nsOf(task), 0) / 1e9;
}

async function serve(role, port, library) {
  const connect = require('./connection');
  const { createHub } = require('../..');
  const { redisAdapter } = require('../../lib/redis');
  const prefix = role === 'idle' ? 'quiet' : 'busy';
  const hub = createHub({
    adapter: redisAdapter(await connect(library, Number(port)), { prefix }),
  });
  const room = role === 'host' ? 'busy' : 'quiet';
  const server = http.createServer(hub.handler(() => ({ rooms: [room] })));
  server.listen(0, '127.0.0.1');
  await new Promise((resolve) => hub.once('adapter', resolve));
  let timer;
  process.on('message', ({ id, rate, size }) => {
    clearInterval(timer);
    if (rate > 0) {
      const data = 'x'.repeat(size);
      const begun = performance.now();
      let sent = 0;
      timer = setInterval(() => {
        const due = ((performance.now() - begun) * rate) / 1_000;
        for (; sent < due; sent++) hub.to('busy').send(data);
      }, TICK);
    }
    process.send({ id, clients: hub.clients.size });
  });
  process.send({ id: 0, port: server.address().port });
}

/** So many clients at each port, who throw away what they get. */
async function read(count, ...ports) {
  const open = (port) =>
    new Promise((resolve, reject) => {
      const headers = { Accept: 'text/event-stream' };
      const request = http.get({ host: '127.0.0.1', port, headers, agent: false }, (res) =>
        resolve(res.resume()),
      );
      request.on('error', reject);
    });
  for (const port of ports) for (let i = 0; i < count; i++) await open(port);
  process.on('message', ({ id }) => process.send({ id }));
  process.send({ id: 0 });
}

async function measure({ redis, library, rates, size, clients, seconds }) {
  const servers = ROLES.map((role) => new Child('idle.js', [role, redis.port, library]));
  const ports = (await Promise.all(servers.map(({ ready }) => ready))).map(({ port }) => port);
  const readers = new Child('idle.js', ['readers', clients, ...ports.slice(1)]);
  await readers.ready;
  const rows = [];
  for (const rate of [0, ...rates]) {
    await servers[0].ask({ rate, size });
    await delay(1_000);
    const before = servers.map(({ pid }) => cpuOf(pid));
    await delay(seconds * 1_000);
    const spent = servers.map(({ pid }, i) => (100 * (cpuOf(pid) - before[i])) / seconds);
    rows.push({ rate, ...Object.fromEntries(ROLES.map((role, i) => [role, spent[i]])) });
  }
  await Promise.all([readers, ...servers].map((child) => child.stop()));
  return rows;
}

function print(rows) {
  console.log(
    '| events/s | sender | host | bystander | idle | bystander : host | µs per event, bystander |',
  );
  console.log('|---|---|---|---|---|---|---|');
  for (const { rate, ...spent } of rows) {
    const cells = ROLES.map((role) => `${spent[role].toFixed(1)} %`);
    const above = spent.bystander - spent.idle;
    const ratio = rate > 0 ? (spent.bystander / spent.host).toFixed(2) : '–';
    const each = rate > 0 ? ((above * 10_000) / rate).toFixed(1) : '–';
    console.log(`| ${rate} | ${cells.join(' | ')} | ${ratio} | ${each} |`);
  }
}

function take(args, name, otherwise) {
  const at = args.indexOf(name);
  return at < 0 ? otherwise : args.splice(at, 2)[1];
}

async function main(args) {
  const { startRedis } = require('../../test/redis/support/server');
  const rates = take(args, '--rates', '100,1000,5000').split(',').map(Number);
  const [seconds, size, clients] = [
    ['--seconds', 5],
    ['--size', 200],
    ['--clients', 100],
  ].map(([name, otherwise]) => Number(take(args, name, otherwise)));
  const redis = await startRedis();
  try {
    const library = take(args, '--client', 'ioredis');
    print(await measure({ redis, library, rates, size, clients, seconds }));
  } finally {
    await redis.stop();
  }
}

const [role, ...rest] = process.argv.slice(2);
process.on('disconnect', () => process.exit());
if (process.send === undefined) main(process.argv.slice(2));
else if (role === 'readers') read(...rest.map(Number));
else serve(role, ...rest);
