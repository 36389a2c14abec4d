'use strict';

// Hubs on a real Redis by each of the client libraries, and what they tell.

const assert = require('node:assert/strict');
const { once } = require('node:events');
const http = require('node:http');
const { createHub } = require('fanline');
const { redisAdapter } = require('fanline/redis');
const { open } = require('fanline/testing');

const HEARTBEAT = 200; // ms

/** What a library is, for an application: a client of its own way, open. */
const LIBRARIES = {
  'ioredis 6': (port, options) => ioredis(require('ioredis'), port, options),
  'ioredis 5': (port, options) => ioredis(require('ioredis5'), port, options),
  'redis 6': (port, options) => nodeRedis(require('redis'), port, options),
  'redis 5': (port, options) => nodeRedis(require('redis5'), port, options),
};

function ioredis(Redis, port, options) {
  const client = new Redis({ port, host: '127.0.0.1', ...options });
  client.on('error', () => {}); // the application's affair
  return { client, close: async () => client.disconnect(), quit: () => client.quit() };
}

function nodeRedis({ createClient }, port, options) {
  const client = createClient({
    ...options,
    socket: { port, host: '127.0.0.1', ...options?.socket },
  });
  client.on('error', () => {});
  client.connect().catch(() => {});
  return {
    client,
    close: async () => client.isOpen && client.destroy(),
    quit: () => client.close(),
  };
}

/** A hub on an adapter, its server, and all that it tells. */
class Wired {
  /** @param {object} adapter of `fanline/redis` */
  constructor(adapter, options) {
    this.hub = createHub({ adapter, heartbeat: HEARTBEAT, ...options });
    this.states = []; // as told
    this.hub.on('adapter', (state) => this.states.push(state));
    const rooms = (req) => new URL(req.url, 'http://x').searchParams.getAll('room');
    this.server = http.createServer(this.hub.handler((req) => ({ rooms: rooms(req) })));
    this.streams = [];
  }

  async listen() {
    this.server.listen(0, '127.0.0.1');
    await once(this.server, 'listening');
  }

  get state() {
    return this.states.at(-1)?.state;
  }

  /** Resolves with what it tells, once it is that. */
  async until(state) {
    while (this.state !== state) await once(this.hub, 'adapter');
    return this.states.at(-1);
  }

  /** Resolves with the first error that it tells of that kind. */
  async error(pattern) {
    const found = () => this.states.find(({ error }) => pattern.test(error?.message));
    while (found() === undefined) await once(this.hub, 'adapter');
    return found().error;
  }

  async open(path, options) {
    const stream = await open(this.server, path, options);
    this.streams.push(stream);
    return stream;
  }

  async close() {
    for (const stream of this.streams) stream.close();
    await this.hub.close({ grace: 0 });
    this.server.closeAllConnections();
    this.server.close();
  }
}

/** All that a test makes, to be ended behind it. */
class World {
  constructor() {
    this._made = [];
    this._unhandled = [];
    this._told = (err) => this._unhandled.push(err);
    process.on('unhandledRejection', this._told);
  }

  /** @param {{close: () => Promise<void>}} thing */
  add(thing) {
    this._made.push(thing);
    return thing;
  }

  /** @param {object} server of startRedis() */
  server(server) {
    this.add({ close: () => server.stop() });
    return server;
  }

  /** A client of the application. @param {string} library a key of LIBRARIES */
  client(library, port, options) {
    return this.add(LIBRARIES[library](port, options)).client;
  }

  /** A hub by that client, which listens. */
  async hub(client, { redis, ...options } = {}) {
    const wired = this.add(new Wired(redisAdapter(client, redis), options));
    await wired.listen();
    return wired;
  }

  /** Ends what was made last first. No promise has been left to itself. */
  async end() {
    for (const thing of this._made.splice(0).reverse()) await thing.close();
    await new Promise((resolve) => setTimeout(resolve, 20));
    process.off('unhandledRejection', this._told);
    assert.deepEqual(this._unhandled, []);
  }
}

/** Resolves when the stream has got two more heartbeats. */
async function beats(stream) {
  const before = stream.comments.length;
  await stream.until(({ comments }) => comments.length > before + 1);
}

module.exports = { LIBRARIES, World, Wired, beats };
