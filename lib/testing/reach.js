'use strict';

// Where to ask: an address as it is, a server that listens, a server or an app that is started on a free port of the
// loopback for as long as a stream of it is open, or a fetch handler, which needs no server.

const { once } = require('node:events');
const http = require('node:http');
const https = require('node:https');
const net = require('node:net');
const { setImmediate } = require('node:timers/promises');
const tls = require('node:tls');
const { argError } = require('../errors');

const WANTED =
  'a URL, a server, an app (a (req, res) function, or an object with callback(), handle() or a server), or an object with fetch()';

const hosts = new WeakMap(); // what runs for as long as a stream is open, by the server or app that was given

// On Bun servers of http and https are no net.Server.
const isServer = (value) => value instanceof net.Server || value instanceof http.Server;
const isSecure = (server) => server instanceof tls.Server || server instanceof https.Server;

/** @returns {URL} of a server that listens */
function addressOf(server) {
  const at = server.address();
  if (at === null || typeof at === 'string') throw argError('target', 'a server on a TCP port', at);
  const isAny = at.address === '::' || at.address === '0.0.0.0';
  const host = net.isIPv6(at.address) ? `[${at.address}]` : at.address;
  const protocol = isSecure(server) ? 'https' : 'http';
  return new URL(`${protocol}://${isAny ? 'localhost' : host}:${at.port}/`);
}

/** HTTP/2 is what a server of node:http2 speaks, with TLS or without. */
function wayOf(server) {
  return server instanceof http.Server || server instanceof https.Server ? 'http1' : 'http2';
}

/** Where one stream asks. `host`: what runs for it, if anything does. */
class Place {
  constructor(base, way, host = null) {
    this.way = way;
    this._base = base;
    this._host = host;
  }

  /** `path` undefined: the address itself. */
  resolve(path) {
    return path === undefined ? this._base : new URL(path, this._base);
  }

  watch(stream, socket) {
    this._host?.watch(stream, socket);
  }

  /** The stream is over. `isForced`: whatever else goes on at the host ends, if this was the last stream there. */
  async release(isForced) {
    await this._host?.release(this, isForced);
  }
}

/** A server that runs while streams of it are open. */
class Host {
  constructor(server) {
    this._server = server;
    this._places = new Set();
    this._streamAt = new Map(); // by the port that it comes from
    this._closed = null; // a promise, once it has begun to close
    this._answers = new Set();
    this._onRequest = (_req, res) => {
      this._answers.add(res);
      res.on('close', () => {
        this._answers.delete(res);
        if (this._closed !== null) this._endIdle();
      });
    };
  }

  /** For `listener`, a function; what it throws reaches the test that has asked. */
  static of(listener) {
    const host = new Host(http.createServer((req, res) => host._run(listener, req, res)));
    return host;
  }

  async start() {
    this._server.on('request', this._onRequest);
    this._server.listen(0, '127.0.0.1');
    await once(this._server, 'listening');
  }

  /** @returns {Promise<void>|null} null: it does not close */
  get closed() {
    return this._closed;
  }

  place() {
    const place = new Place(addressOf(this._server), wayOf(this._server), this);
    this._places.add(place);
    return place;
  }

  watch(stream, socket) {
    const note = () => this._streamAt.set(socket.localPort, stream);
    if (socket.connecting) socket.once('connect', note);
    else note();
  }

  async release(place, isForced) {
    this._places.delete(place);
    if (this._places.size > 0) return;
    this._closed ??= this._close();
    if (isForced) this._server.closeAllConnections?.();
    await this._closed;
  }

  /** Resolves when what answers has seen the end, too. */
  async _close() {
    await new Promise((resolve) => this._server.close(resolve));
    this._server.off('request', this._onRequest);
    await Promise.all([...this._answers].map((res) => once(res, 'close')));
  }

  /** Of a connection that is kept alive, Node's `close` waits for the end. */
  _endIdle() {
    setImmediate().then(() => this._server.closeIdleConnections?.());
  }

  async _run(listener, req, res) {
    const stream = this._streamAt.get(req.socket.remotePort);
    try {
      const answer = await listener(req, res);
      if (answer instanceof Response && !res.headersSent)
        throw argError('target', '{ fetch: handler } where it answers a Response', listener);
    } catch (err) {
      if (stream === undefined) throw err;
      stream._fail(err);
      res.destroy();
    }
  }
}

/** The server or the (req, res) function of an app. */
async function runnableOf(target) {
  if (typeof target === 'function' || isServer(target)) return target;
  if (isServer(target?.server)) {
    await target.ready?.();
    return target.server;
  }
  if (typeof target?.callback === 'function') return target.callback();
  if (typeof target?.handle === 'function') return (req, res) => target.handle(req, res);
  throw argError('target', WANTED, target);
}

/** The host of `target`: the one that runs, or a new one. */
async function hostOf(target, runnable) {
  for (;;) {
    const entry = hosts.get(target);
    if (entry === undefined) break;
    const host = await entry;
    if (host.closed === null) return host;
    await host.closed;
    if (hosts.get(target) === entry) hosts.delete(target);
  }
  const host = isServer(runnable) ? new Host(runnable) : Host.of(runnable);
  const starting = host.start().then(() => host);
  hosts.set(target, starting);
  starting.catch(() => hosts.delete(target));
  return starting;
}

/**
 * @param {unknown} target see types/testing.d.ts
 * @returns {Promise<Place>} to be released
 */
async function reach(target, { http2 = false } = {}) {
  if (typeof target === 'string' || target instanceof URL)
    return new Place(new URL(target), http2 ? 'http2' : 'http1');
  if (typeof target !== 'function' && typeof target?.fetch === 'function') {
    const place = new Place(new URL('http://localhost/'), 'fetch');
    place.handle = (request) => target.fetch(request);
    return place;
  }
  const runnable = await runnableOf(target);
  await setImmediate(); // listen() with a host looks it up first
  if (isServer(runnable) && runnable.listening && !hosts.has(target))
    return new Place(addressOf(runnable), wayOf(runnable));
  return (await hostOf(target, runnable)).place();
}

module.exports = { reach };
