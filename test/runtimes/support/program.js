'use strict';

// A server of a hub, to be run by any runtime: `program.js <way> <options of createHub as JSON>`. What is to be done with the hub comes
// as a line of JSON, [number, name, ...arguments], and is answered by one, [number, result]; the first line tells the port.

const readline = require('node:readline');
const { createHub } = require('fanline');
const { TLS } = require('../../js/support/serve');

const [way, options] = process.argv.slice(2);
const hub = createHub({ heartbeat: false, retry: false, history: false, ...JSON.parse(options) });
const clients = [];

function opened(client) {
  clients.push(client);
  client.on('close', (reason) => tell(['closed', clients.indexOf(client), reason]));
  tell(['opened', clients.indexOf(client), client.transport]);
}

function settings(url) {
  const { searchParams } = new URL(url, 'http://localhost');
  const rooms = searchParams.getAll('room');
  const user = searchParams.get('user');
  return user === null ? { rooms } : { rooms, user };
}

const connect = (req, res) => opened(hub.connect(req, res, settings(req.url)));
const respond = (request) => hub.response(request, settings(request.url), opened);

/** A server of node:http and its kin: @returns {Promise<{port, close}>} */
function listening(server) {
  return new Promise((resolve) => {
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address();
      resolve({ port, close: () => new Promise((done) => server.close(() => done())) });
    });
  });
}

const WAYS = {
  http: () => listening(require('node:http').createServer(connect)),
  https: () => listening(require('node:https').createServer(TLS, connect)),
  http2: () => listening(require('node:http2').createSecureServer(TLS, connect)),
  'Bun.serve': () => {
    const idleTimeout = 1; // seconds, of silence
    const fetch = (request, server) => {
      if (!request.url.includes('idle')) server.timeout(request, 0);
      return respond(request);
    };
    const server = globalThis.Bun.serve({ port: 0, hostname: '127.0.0.1', idleTimeout, fetch });
    return { port: server.port, close: () => server.stop() };
  },
  'Deno.serve': () =>
    new Promise((resolve) => {
      const onListen = ({ port }) => resolve({ port, close: () => server.shutdown() });
      const server = globalThis.Deno.serve({ port: 0, hostname: '127.0.0.1', onListen }, respond);
    }),
};

// ---- what a test may ask for ----

const noise = 'x'.repeat(64 * 1024);

const DEEDS = {
  broadcast: (data, opts) => hub.broadcast(data, opts).matched,
  toRoom: (room, data, opts) => hub.to(room).send(data, opts).matched,
  toUser: (user, data, opts) => hub.user(user).send(data, opts).matched,
  toClient: (number, data, opts) => clients[number].send(data, opts),
  leave: (number, room) => {
    clients[number].leave(room);
  },
  end: (number, last) => clients[number].close(last),
  drain: (number) => clients[number].drain(),
  bulk: async (number, count) => {
    // In several stretches, as an application would; answers how often it was told to wait.
    let waits = 0;
    for (let i = 0; i < count; i++) {
      if (!clients[number].send(`${i} ${noise}`)) waits++;
      if (i % 16 === 15) await new Promise((resolve) => setTimeout(resolve, 1));
    }
    return waits;
  },
  state: (number) => {
    const { transport, bufferedBytes, closed, lastEventId } = clients[number];
    return { transport, bufferedBytes, closed, lastEventId, size: hub.size };
  },
  relay: () => hub.stats().relay,
  drops: () => hub.stats().drops,
  closeHub: (opts) => hub.close(opts),
};

function tell(line) {
  process.stdout.write(`${JSON.stringify(line)}\n`);
}

async function main() {
  const { port, close } = await WAYS[way]();
  DEEDS.quit = async () => {
    await hub.close({ grace: 0 });
    await close();
    lines.close();
  };
  const lines = readline.createInterface({ input: process.stdin });
  lines.on('line', async (line) => {
    const [number, deed, ...args] = JSON.parse(line);
    try {
      tell([number, await DEEDS[deed](...args)]);
    } catch (err) {
      tell([number, null, String(err.stack)]);
    }
  });
  tell(['port', port]);
}

main();
