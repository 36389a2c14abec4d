'use strict';

// The clients, one of each server process: `node reader.js DRIVER PORT …`. Each looks at every event: from each server 1, 2, 3, …
// without a hole.

const http = require('node:http');

const RECEIPTS = 32; // socket.io has no other way to tell its server

const [name, ...ports] = process.argv.slice(2);
const last = ports.map(() => ports.map(() => 0)); // of client, of server: the number that came last
const latencies = []; // ns, of those that came from another process
let isTimed = false;
let disorder = 0;
let lastAt = 0n;
let wanted = null; // what each server has sent
let answer = null;

/** Whatever is lost, nothing measured counts. */
function over(why) {
  console.error(`${name}: ${why}`);
  process.exit(1);
}

const isThrough = () => last.every((counts) => counts.every((count, i) => count >= wanted[i]));

function took(client, text) {
  const now = process.hrtime.bigint();
  const [server, number, sentAt] = text.split(' ', 3);
  if (Number(number) !== last[client][server] + 1) disorder++;
  last[client][server] = Number(number);
  lastAt = now;
  if (isTimed && (Number(server) !== client || ports.length === 1))
    latencies.push(Number(now - BigInt(sentAt)));
  if (wanted !== null && isThrough()) answer();
}

const OPEN = {
  fanline(client, port) {
    const { createParser } = require('eventsource-parser');
    const parser = createParser({
      onEvent: ({ event, data }) => (event === undefined ? took(client, data) : over(event)),
    });
    return new Promise((resolve, reject) => {
      const headers = { Accept: 'text/event-stream' };
      const request = http.get({ host: '127.0.0.1', port, headers, agent: false }, (res) => {
        res.setEncoding('utf8').on('data', (chunk) => parser.feed(chunk));
        res.on('close', () => over('the stream ended'));
        resolve();
      });
      request.on('error', reject);
    });
  },
  'socket.io'(client, port) {
    const { io } = require('socket.io-client');
    const socket = io(`http://127.0.0.1:${port}`, { transports: ['websocket'] });
    socket.on('message', (text) => {
      took(client, text);
      const own = last[client][client];
      if (own % RECEIPTS === 0 && text.startsWith(`${client} `)) socket.emit('got', own);
    });
    socket.on('disconnect', over);
    return new Promise((resolve) => socket.on('connect', resolve));
  },
};

/** Once everything that the servers have sent is here. */
function arrived(counts) {
  return new Promise((resolve) => {
    wanted = counts;
    answer = () => {
      wanted = null;
      const sorted = latencies.splice(0).sort((a, b) => a - b);
      const at = (part) => sorted[Math.floor(part * (sorted.length - 1))] / 1e6;
      resolve({
        disorder,
        lastAt: String(lastAt),
        p50_ms: at(0.5),
        p99_ms: at(0.99),
        p90_ms: at(0.9),
        max_ms: at(1),
      });
    };
    if (isThrough()) answer();
  });
}

process.on('message', async ({ id, counts, timed }) => {
  isTimed = timed ?? isTimed;
  const found = counts === undefined ? {} : await arrived(counts);
  const { user, system } = process.cpuUsage();
  process.send({ id, ...found, state: last, cpu_s: (user + system) / 1e6 });
});
process.on('disconnect', () => process.exit());

Promise.all(ports.map((port, client) => OPEN[name](client, Number(port)))).then(() =>
  process.send({ id: 0 }),
);
