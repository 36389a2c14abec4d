'use strict';

// A process of its own: broadcasts, one after the other, each of which has reached all clients before the next.
//   node broadcasts.js <clients> <broadcasts>

const { once } = require('node:events');
const fs = require('node:fs');
const http = require('node:http');
const net = require('node:net');
const { setTimeout: sleep } = require('node:timers/promises');
const { createHub } = require('fanline');

const EVENT = `data: ${'x'.repeat(100)}\n\n`;

/** One reader, which tells how many of the events it has. */
class Reader {
  constructor(port) {
    this.events = 0;
    this._socket = net.connect(port, '127.0.0.1').setEncoding('latin1');
    this._socket.write('GET / HTTP/1.0\r\n\r\n'); // not chunked
    this._socket.on('data', (text) => {
      this.events += text.split('\n\n').length - 1;
    });
  }

  close() {
    this._socket.destroy();
  }
}

/** A call that whoever traces this process finds again. */
const mark = (what) => fs.existsSync(`fanline-counts-${what}`);

async function main([clients, broadcasts]) {
  const hub = createHub({ heartbeat: false, history: false });
  const server = http.createServer((req, res) => hub.connect(req, res)).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address();
  const readers = Array.from({ length: clients }, () => new Reader(port));
  while (hub.size < clients || [...hub.clients.values()].some((each) => each.transport !== 'fd')) {
    await sleep(5);
  }
  await sleep(50);
  for (const reader of readers) reader.events = 0;
  mark('begin');
  for (let sent = 1; sent <= broadcasts; sent++) {
    hub.broadcast(EVENT.slice(6, -2));
    while (readers.some((reader) => reader.events < sent)) await sleep(2);
    await sleep(1); // the loop is through with its turn
  }
  mark('end');
  for (const reader of readers) reader.close();
  await hub.close({ grace: 0 });
  server.close();
}

main(process.argv.slice(2).map(Number));
