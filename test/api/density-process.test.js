'use strict';

// Density mode and the life of its process: an open stream keeps it alive as any open response does, although Node knows of none;
// nothing else does.

const assert = require('node:assert/strict');
const net = require('node:net');
const { run } = require('../js/support/child');
const { get } = require('../js/support/density');

/** In the child: a detached client of a server that is closed; `port` is printed before. */
const DETACHED = `
const hub = createHub({ transport: 'detached', heartbeat: false });
let client;
const server = http.createServer((req, res) => {
  client = hub.connect(req, res);
  server.close();
});
server.listen(0, '127.0.0.1', () => console.log('port ' + server.address().port));
process.on('exit', () => console.log('exit, ' + hub.size + ' clients'));
const detached = async () => {
  while (!client || client.transport !== 'detached') await new Promise((ok) => setTimeout(ok, 1));
  console.log('detached');
};
`;

/** Connects to the port that the child prints, once. @returns {{watch: Function, sockets: net.Socket[]}} */
function peers({ detached = () => {} } = {}) {
  const sockets = [];
  let isDetached = false;
  const watch = (_child, out) => {
    const port = /^port (\d+)$/m.exec(out);
    if (port && sockets.length === 0) {
      const socket = net.connect(Number(port[1]), '127.0.0.1');
      socket.on('error', () => {});
      socket.resume().write(get('/'));
      sockets.push(socket);
    }
    if (isDetached || !/^detached$/m.test(out)) return;
    isDetached = true;
    detached(sockets[0]);
  };
  return { watch, sockets };
}

/** Runs the child to its end. */
async function life(body, { detached, ...options } = {}) {
  const { watch, sockets } = peers({ detached });
  const ended = await run(DETACHED + body, { watch, ...options });
  for (const socket of sockets) socket.destroy();
  assert.equal(ended.err, '');
  return ended;
}

describe('density mode and the process', () => {
  it('an open stream keeps the process alive, and a peer that leaves lets it end', async () => {
    const stay = 300; // ms; a process that nothing held would be gone at once
    let left = 0;
    const { code, out, ms } = await life('await detached();', {
      detached: (socket) => {
        left = Date.now();
        setTimeout(() => socket.destroy(), stay);
      },
    });
    assert.equal(code, 0);
    assert.match(out, /^exit, 0 clients$/m);
    assert(Date.now() - left >= stay, `it ended ${Date.now() - left} ms after it was detached`);
    assert(ms < 10_000);
  });

  it('client.close() and hub.close() let it end, with a peer that keeps its side open', async () => {
    for (const way of ['client.close()', 'hub.close({ grace: 10 })']) {
      const { code, out } = await life(`await detached(); ${way};`);
      assert.equal(code, 0, way);
      assert.match(out, /^exit, 0 clients$/m);
    }
  });

  it('process.exit() ends it at once, whoever is connected', async () => {
    const { code, out } = await life('await detached(); process.exit(7);');
    assert.equal(code, 7);
    assert.match(out, /^exit, 1 clients$/m);
  });

  it('a stream keeps a worker alive as well, and terminate() ends that', async () => {
    const { code, out } = await run(`
      const source = \`
        const { createHub } = require('fanline');
        const http = require('node:http');
        const { parentPort, workerData } = require('node:worker_threads');
        const hub = createHub({ transport: 'detached', heartbeat: false });
        const server = http.createServer((req, res) => {
          const client = hub.connect(req, res);
          server.close();
          const look = () => {
            if (client.transport !== 'detached') return setImmediate(look);
            parentPort.postMessage('detached');
            if (workerData === 'close') setTimeout(() => client.close(), 100);
          };
          look();
        });
        server.listen(0, '127.0.0.1', () => parentPort.postMessage(server.address().port));
      \`;
      const net = require('node:net');
      for (const way of ['close', 'terminate']) {
        const worker = new Worker(source, { eval: true, workerData: way });
        const exited = once(worker, 'exit');
        const [port] = await once(worker, 'message');
        const socket = net.connect(port, '127.0.0.1');
        const closed = once(socket, 'close');
        socket.resume().write('GET / HTTP/1.1\\r\\nHost: x\\r\\n\\r\\n');
        await once(worker, 'message');
        let alive = true;
        exited.then(() => { alive = false; });
        await new Promise((ok) => setTimeout(ok, 50));
        if (!alive) throw new Error('the worker has ended');
        if (way === 'terminate') worker.terminate();
        const [exitCode] = await exited;
        await closed;
        console.log(way + ': ' + exitCode);
      }
    `);
    assert.equal(out, 'close: 0\nterminate: 1\n');
    assert.equal(code, 0);
  });
});
