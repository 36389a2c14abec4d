'use strict';

// A hub whose readers are across a link, or near it, with both ends of each stream in the hands of the test.

const assert = require('node:assert/strict');
const http = require('node:http');
const https = require('node:https');
const tls = require('node:tls');
const { createHub } = require('fanline');
const { parse } = require('../../js/support/apps-raw');
const { TLS } = require('../../js/support/serve');
const { when } = require('../../js/support/stage');
const { openLink } = require('./link');

/** The ways that a stream's bytes can go. */
const WAYS = [
  { way: 'fd', transport: 'fd' },
  { way: 'relay', transport: 'relay', options: { transport: 'relay' } },
  { way: 'relay under TLS', transport: 'relay', secure: true },
];

/** One end of a connection: all that has arrived, byte for byte. */
class Reader {
  /**
   * @param {net.Socket} raw across the link
   * @param {net.Socket} socket on top of it, or the same
   * @param {string} path what is asked for
   */
  constructor(raw, socket, path) {
    this.raw = raw;
    this.text = ''; // one character per byte
    this.ended = null; // 'end' (FIN), or the error's code
    this.listeners = []; // called with what arrives
    this.socket = socket;
    socket.setEncoding('latin1');
    socket.on('data', (text) => {
      this.text += text;
      for (const listener of this.listeners) listener(text);
      this.onData?.();
    });
    socket.on('error', (err) => this._over(err.code));
    socket.on('end', () => this._over('end'));
    socket.on('close', () => this._over('close'));
    socket.write(`GET ${path} HTTP/1.1\r\nHost: localhost\r\n\r\n`);
  }

  _over(how) {
    this.ended ??= how;
  }

  /** The bytes behind the headers, with the transfer coding. */
  get received() {
    return this.text.length - (this.text.indexOf('\r\n\r\n') + 4);
  }

  /** What has arrived whole: `{ body, complete }`. */
  read() {
    return parse(this.text, ['GET'], this.ended !== null)[0] ?? { body: '', complete: false };
  }

  /** Waits until this is all that has arrived. */
  async gets(body, ms) {
    // The first condition is cheap, and holds a little earlier.
    const enough = () => this.received >= body.length && this.read().body.length >= body.length;
    await when(() => this.ended !== null || enough(), `${body.length} bytes`, ms);
    const got = this.read().body;
    // Not assert.equal: what it prints of so long a text helps nobody.
    assert(got === body, `${got.length} bytes, ${this.ended}, not the ${body.length} expected`);
  }
}

class Scene {
  /** @param {{quality?: object, hub?: object}} [how] the link (see openLink) and the hub's options */
  static async open({ quality, hub } = {}) {
    const scene = new Scene(await openLink(quality), hub);
    try {
      await scene._listen();
    } catch (err) {
      await scene.close();
      throw err;
    }
    return scene;
  }

  constructor(link, options) {
    this.link = link;
    this.hub = createHub({ retry: false, heartbeat: false, history: false, ...options });
    this.drops = [];
    this.hub.on('drop', (client, drop) => this.drops.push({ client, ...drop }));
    this._waiting = new Map(); // path → what takes the request
    const listener = (req, res) => this._waiting.get(req.url)(req, res);
    this._servers = {
      plain: http.createServer(listener),
      secure: https.createServer(TLS, listener),
    };
    this._ports = {};
    this._readers = [];
  }

  async _listen() {
    for (const name in this._servers) {
      this._ports[name] = await this.link.listen(this._servers[name]);
    }
  }

  /**
   * A client and its reader, once its stream is open.
   * @param {{secure?: boolean, near?: boolean, options?: object, transport?: string}} [how] a way; `near`: not across the link
   */
  async connect({ secure = false, near = false, options, transport = 'fd' } = {}) {
    const path = `/${this._waiting.size}`;
    const connected = new Promise((resolve) => {
      this._waiting.set(path, (req, res) => resolve(this.hub.connect(req, res, options)));
    });
    const port = this._ports[secure ? 'secure' : 'plain'];
    const raw = await (near ? this.link.connectNear(port) : this.link.connect(port));
    const socket = secure ? tls.connect({ socket: raw, rejectUnauthorized: false }) : raw;
    const reader = new Reader(raw, socket, path);
    this._readers.push(reader);
    const client = await connected;
    await when(() => reader.read().body.startsWith(':\n'), 'the stream');
    await when(() => client.transport === transport, transport);
    client.once('close', () => {
      client.closedAt = performance.now();
    });
    return { client, reader };
  }

  /** One for each way, with these options of `connect` besides. */
  async connectAll(options) {
    const all = [];
    for (const how of WAYS) {
      const both = await this.connect({ ...how, options: { ...how.options, ...options } });
      all.push({ way: how.way, ...both });
    }
    return all;
  }

  async close() {
    await this.hub.close({ grace: 0 });
    for (const reader of this._readers) reader.socket.destroy();
    const closed = Object.values(this._servers).map(
      (server) => new Promise((resolve) => server.close(resolve)),
    );
    for (const server of Object.values(this._servers)) server.closeAllConnections();
    await Promise.all(closed);
    await this.link.close();
  }
}

module.exports = { Scene };
