'use strict';

// What stock clients are shown: a stream with everything that a hub writes. It can be ended, cut and restarted, and notes who came
// back and how that was answered.

const assert = require('node:assert/strict');
const http = require('node:http');
const { createHub } = require('fanline');
const { when } = require('./stage');

const NUMBERS = Array.from({ length: 20_000 }, (_, n) => String(n % 10_000).padStart(4, '0'));
const ROOM = 'feed';

/** What each client must get, as `[type, data]`. Comments and heartbeats come in between. */
const EVENTS = [
  ['message', 'one line'],
  ['message', 'two\nlines, and\n\nan empty one'],
  ['message', ''],
  ['named', 'with a name'],
  ['named', ''],
  ['message', 'data: not a field\nid: 7\n:not a comment'],
  ['message', ' begins and ends with a space '],
  ['message', 'Grüße, 漢字, 👋🏽, \u2028'],
  ['message', NUMBERS.join(' ')], // 100 KB
  ['named', NUMBERS.join('\n')], // in 20,000 lines
  ['message', 'the last'],
];

/** A server with many feeds. */
class FeedServer {
  /** @param {(req, res) => void} [pages] answers all but the streams */
  constructor(pages = (_req, res) => res.writeHead(404).end()) {
    this._feeds = new Map();
    this._server = http.createServer((req, res) => {
      const feed = this._feeds.get(req.url);
      if (feed !== undefined) feed.connect(req, res);
      else pages(req, res);
    });
  }

  async start() {
    await new Promise((resolve) => this._server.listen(0, '127.0.0.1', resolve));
    this.origin = `http://127.0.0.1:${this._server.address().port}`;
  }

  /** @param {'fd'|'relay'} transport @returns {Feed} a new one */
  feed(transport) {
    const path = `/events/${this._feeds.size}`;
    const feed = new Feed(transport, this.origin + path);
    this._feeds.set(path, feed);
    return feed;
  }

  async close() {
    await new Promise((resolve) => {
      this._server.close(resolve);
      this._server.closeAllConnections();
    });
  }
}

class Feed {
  constructor(transport, url) {
    this.url = url;
    this.requests = []; // { lastEventId, status }
    this._transport = transport;
    this._sockets = new Set();
    this._hub = this._createHub();
  }

  get size() {
    return this._hub.size;
  }

  _createHub() {
    const transport = this._transport === 'fd' ? 'auto' : this._transport;
    return createHub({ transport, heartbeat: 20, retry: 30 });
  }

  connect(req, res) {
    const request = { lastEventId: req.headers['last-event-id'], status: 0 };
    this.requests.push(request);
    this._hub.connect(req, res, { rooms: ROOM });
    request.status = res.statusCode;
    this._sockets.add(req.socket);
    res.on('close', () => this._sockets.delete(req.socket));
  }

  /** @returns {Promise<string>} its id */
  say(data, event = 'message') {
    return this._hub.to(ROOM).send(data, event === 'message' ? {} : { event }).accepted;
  }

  /** EVENTS, with signs of life in between. */
  async sayAll() {
    const before = this._hub.stats().heartbeats;
    for (const [i, [event, data]] of EVENTS.entries()) {
      this.say(data, event);
      for (const client of this._hub.clients.values()) client.comment(`comment ${i}`);
      if (i === 3) await when(() => this._hub.stats().heartbeats > before + 2, 'heartbeats');
    }
    for (const { transport } of this._hub.clients.values())
      assert.equal(transport, this._transport);
  }

  /** In order: the response is whole. */
  end(options) {
    this._hub.to(ROOM).disconnect(options);
  }

  /** In the middle of the response. */
  cut() {
    for (const socket of this._sockets) socket.destroy();
  }

  /** As if the process was another one: nothing of what was said is known. */
  async restart() {
    const old = this._hub;
    this._hub = this._createHub();
    await old.close({ grace: 0 });
  }

  async close() {
    await this._hub.close({ grace: 0 });
  }
}

module.exports = { EVENTS, FeedServer };
