'use strict';

// A process of its own: how many bytes of JavaScript's heap a send takes, before any garbage is collected. Code that is interpreted
// allocates the same each time; optimised code allocates less, and when it is optimised is a matter of time.
//   node --no-opt … heap.js

const { once } = require('node:events');
const http = require('node:http');
const net = require('node:net');
const { setTimeout: sleep } = require('node:timers/promises');
const v8 = require('node:v8');
const { createHub } = require('fanline');

const SENDS = 500;
const ROUNDS = 5;
const TEXT = 'x'.repeat(100);

async function main() {
  const hub = createHub({ heartbeat: false, history: false });
  let client;
  const server = http.createServer((req, res) => {
    client = hub.connect(req, res, { rooms: ['room'] });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const reader = net.connect(server.address().port, '127.0.0.1');
  reader.write('GET / HTTP/1.1\r\nHost: localhost\r\n\r\n');
  await once(reader, 'data');
  reader.resume();

  const sends = {
    'a broadcast': () => hub.broadcast(TEXT),
    'a send to a room': () => hub.to('room').send(TEXT),
    'a private event': () => client.send(TEXT),
  };
  const found = {};
  for (const [name, send] of Object.entries(sends)) {
    const rounds = [];
    for (let round = 0; round <= ROUNDS; round++) {
      globalThis.gc();
      await sleep(5);
      const before = v8.getHeapStatistics().used_heap_size;
      for (let i = 0; i < SENDS; i++) send();
      rounds.push((v8.getHeapStatistics().used_heap_size - before) / SENDS);
      await sleep(20);
    }
    rounds.shift(); // the first makes what is made once
    found[name] = rounds.sort((a, b) => a - b)[rounds.length >> 1];
  }
  console.log(JSON.stringify(found));
  reader.destroy();
  await hub.close({ grace: 0 });
  server.close();
}

main();
