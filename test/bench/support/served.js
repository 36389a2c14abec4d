'use strict';

// A driver of the benchmark in a process of its own: `node served.js DRIVER OPTIONS`. Does what driver-process.js asks by IPC.

const { createServer } = require('../../../bench/suite/driver');

const [name, options] = process.argv.slice(2);
const streams = [];

let server;

async function* list(texts) {
  for (const text of texts) {
    await new Promise((resolve) => setImmediate(resolve));
    yield text;
  }
}

const ACTS = {
  async listen() {
    const onStream = (stream) => streams.push(stream);
    server = await createServer(name, { ...JSON.parse(options), onStream });
    const port = await server.listen();
    return { port, tls: server.tls, protocol: server.protocol, pids: server.pids?.() };
  },
  broadcast: (text) => server.broadcast(text),
  toRoom: (room, text) => server.toRoom(room, text),
  /** Everybody of /events, one after the other: how many there were. */
  async moved(room, how) {
    const clients = server.clients();
    for (const client of clients) await client[how](room);
    return clients.length;
  },
  /** fanline's: how bytes get to them. */
  transports: () =>
    server
      .clients()
      .map((client) => client.transport)
      .join(' '),
  streams: () => streams.length,
  send: (index, text) => streams[index].send(text),
  end: (index) => streams[index].end(),
  pipe: (index, texts) => streams[index].pipe(list(texts)),
  stats: () => server.stats(),
  stop: () => server.stop?.(),
};

process.on('message', async ({ id, act, args }) => {
  try {
    const value = await ACTS[act](...args);
    const plain =
      ['number', 'string'].includes(typeof value) || act === 'listen' || act === 'stats';
    process.send({ id, value: plain ? value : null });
  } catch (err) {
    process.send({ id, error: err.stack });
  }
});
process.on('disconnect', async () => {
  await server?.stop?.();
  process.exit();
});
