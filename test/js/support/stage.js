'use strict';

// A hub behind a server of its own, with clients that tests hold by both ends: the Client object, and the stream or the
// socket that reads it. Also: what must be as before when a call was refused.

const assert = require('node:assert/strict');
const { once } = require('node:events');
const net = require('node:net');
const { open } = require('./open');
const { serve } = require('./serve');

const BLOCKING_HEADER = 'x'.repeat(4 << 20); // more than the kernel takes from a reader that does not read
const COUNTED_BY_ENVIRONMENT = ['flushes', 'callbacks', 'notices', 'wakeups'];
const COUNTED_BY_LOOP = [
  ...['deliveries', 'heartbeats', 'writes', 'blockedWrites', 'bytesWritten', 'framesWritten'],
  ...['bufferedBytes', 'inboxBytes', 'peakBytes', 'drops'],
  ...['historyBytes', 'historyEvents', 'replays', 'eventsReplayed', 'resets'],
];

/** Resolves when `condition()` holds; asks once per turn of Node's loop. */
async function when(condition, what = 'the condition', ms = 5_000) {
  const limit = Date.now() + ms;
  while (!condition()) {
    assert(Date.now() < limit, `${what} did not come true in ${ms} ms`);
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
}

/** A request whose peer never reads the answer. */
async function deaf(port, path) {
  const socket = net.connect(port, '127.0.0.1');
  socket.on('error', () => {});
  socket.pause();
  await once(socket, 'connect');
  socket.write(`GET ${path} HTTP/1.1\r\nHost: x\r\n\r\n`);
  return socket;
}

class Stage {
  /** @param {object} hub or anything with `connect(req, res, opts)` */
  constructor(hub) {
    this.hub = hub;
    this.clients = [];
    this._calls = new Map();
    this._count = 0;
    this._sockets = [];
  }

  static async on(hub, kind) {
    const stage = new Stage(hub);
    stage._server = await serve((req, res) => stage._answer(req, res), kind);
    stage.url = stage._server.url;
    stage.port = stage._server.port;
    return stage;
  }

  _answer(req, res) {
    const call = this._calls.get(req.url);
    this._calls.delete(req.url);
    if (call === undefined) {
      res.writeHead(404).end();
      return;
    }
    try {
      call.resolve(call.run(req, res));
    } catch (err) {
      call.reject(err);
      if (res.headersSent) res.destroy();
      else res.writeHead(500).end();
    }
  }

  /** Takes the next request: answers its path, and what `run(req, res)` answered there. */
  expect(run) {
    const path = `/${++this._count}`;
    const result = new Promise((resolve, reject) => {
      this._calls.set(path, { run, resolve, reject });
    });
    return { path, result };
  }

  _connected(opts) {
    return this.expect((req, res) => {
      const begun = performance.now();
      const client = this.hub.connect(req, res, opts);
      client.begun = begun;
      this.clients.push(client);
      client.res = res;
      return client;
    });
  }

  /** A client and the stream that reads it. */
  async connect(opts, request) {
    const { path, result } = this._connected(opts);
    const [client, stream] = await Promise.all([result, open(this.url + path, request)]);
    return { client, stream };
  }

  /** Runs `run(req, res)` for one request; answers what it answers. */
  async request(run, request) {
    const { path, result } = this.expect(run);
    const [answer] = await Promise.all([result, open(this.url + path, request)]);
    return answer;
  }

  /** The stream of a path that `expect` has answered. */
  open(path, request) {
    return open(this.url + path, request);
  }

  /** A client whose peer never reads. With `block`, not even its headers get through: it stays `opening`. */
  async deaf(opts = {}, { block = false } = {}) {
    const headers = block ? { ...opts.headers, 'X-Block': BLOCKING_HEADER } : opts.headers;
    const { path, result } = this._connected(headers ? { ...opts, headers } : opts);
    const socket = await deaf(this.port, path);
    this._sockets.push(socket);
    return { client: await result, socket };
  }

  /** Ends everything, and waits until the hub has noticed. */
  async close() {
    for (const socket of this._sockets) socket.destroy();
    await this._server.close();
    await when(() => this.clients.every(({ closed }) => closed !== null), 'every client closed');
  }
}

/** Nothing of the hub is on its way: what was sent has been written, and counted. */
async function quiet(hub) {
  let last = '';
  let same = 0;
  await when(() => {
    const stats = hub.stats();
    const text = JSON.stringify(stats);
    const done = stats.inboxBytes === 0 && stats.framesWritten === stats.deliveries;
    same = done && text === last ? same + 1 : 0;
    last = text;
    return same >= 3;
  }, 'every queue empty');
}

/**
 * All that a refused call must leave as it was; without what other hubs and the calls themselves count, and without what
 * the loop counts if it is `busy`.
 */
function stateOf(hub, { clients = [...hub.clients.values()], busy = false } = {}) {
  const { crossings, ...stats } = hub.stats();
  for (const name of COUNTED_BY_ENVIRONMENT) delete stats[name];
  if (busy) for (const name of COUNTED_BY_LOOP) delete stats[name];
  return {
    stats,
    rooms: [...hub.rooms],
    ids: [...hub.clients.keys()],
    clients: clients.map((client) => {
      const { id, user, data, closed, transport, bufferedBytes } = client;
      return { id, user, data, closed, transport, bufferedBytes, rooms: [...client.rooms] };
    }),
  };
}

/** `fn` throws at once an error of this class and code whose message names `path`; answers it. */
function refuses(fn, Base, code, path) {
  let thrown = null;
  try {
    fn();
  } catch (err) {
    thrown = err;
  }
  assert.notEqual(thrown, null, `not refused: ${path}`);
  assert.equal(thrown.code, code, `${path}: ${thrown.stack}`);
  assert.equal(Object.getPrototypeOf(thrown), Base.prototype, thrown.stack);
  if (path) assert(thrown.message.includes(path), `${path} is not named in: ${thrown.message}`);
  assert(thrown.message.length < 500, `${thrown.message.length} characters`);
  return thrown;
}

module.exports = { Stage, deaf, quiet, refuses, stateOf, when };
