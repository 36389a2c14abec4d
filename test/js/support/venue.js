'use strict';

// One hub behind a server of its own, on each way that bytes can take, with readers that can be told to stop reading.

const { createHub } = require('fanline');
const { open } = require('./open');
const { open2 } = require('./open-h2');
const { serve } = require('./serve');
const { when } = require('./stage');

const PLACES = [
  { title: 'fd', kind: 'http' },
  { title: 'relay', kind: 'http', transport: 'relay' },
  { title: 'relay, https', kind: 'https' },
  { title: 'relay, http2', kind: 'http2' },
];

class Venue {
  /** @param {object} place of PLACES @param {object} [options] of the hub; there is neither heartbeat nor retry line */
  constructor({ kind, transport = 'auto' }, options) {
    this.hub = createHub({ retry: false, heartbeat: false, history: false, transport, ...options });
    this.drops = []; // what the hub's `drop` has told: { client, reason, events, bytes }
    this.hub.on('drop', (client, drop) => this.drops.push({ client, ...drop }));
    this._kind = kind;
    this._calls = new Map();
    this._streams = [];
  }

  async start() {
    this._server = await serve((req, res) => this._answer(req, res), this._kind);
    return this;
  }

  get url() {
    return this._server.url;
  }

  /** A path that connect() has not made is a room. */
  _answer(req, res) {
    const call = this._calls.get(req.url);
    const opts = call === undefined ? { rooms: req.url.slice(1) } : call.opts;
    const client = this.hub.connect(req, res, opts);
    call?.resolve({ client, res });
  }

  /** A client and the stream that reads it. @returns {Promise<{client: object, stream: object, res: object}>} */
  async connect(opts, request) {
    const path = `/${this._calls.size}`;
    const connected = new Promise((resolve) => this._calls.set(path, { opts, resolve }));
    const go = this._kind === 'http2' ? open2 : open;
    const [{ client, res }, stream] = await Promise.all([
      connected,
      go(this._server.url + path, request),
    ]);
    this._streams.push(stream);
    await when(() => client.transport !== 'opening');
    return { client, stream, res };
  }

  /** The same, and it does not read. */
  async stalled(opts, request) {
    const it = await this.connect(opts, request);
    await it.stream.until(({ text }) => text.length > 0);
    it.stream.pause();
    return it;
  }

  /** What was dropped and told, of one client and reason: `{ events, bytes, times }`. */
  told(client, reason) {
    const sum = { events: 0, bytes: 0, times: 0 };
    for (const drop of this.drops) {
      if (drop.client !== client || drop.reason !== reason) continue;
      sum.events += drop.events;
      sum.bytes += drop.bytes;
      sum.times++;
    }
    return sum;
  }

  async end() {
    for (const stream of this._streams) stream.close();
    await this.hub.close({ grace: 0 });
    await this._server.close();
  }
}

/** Runs the tests that `define` makes in each place. It is given what opens a venue, which ends with the test. */
function overPlaces(define, places = PLACES) {
  for (const place of places) {
    describe(place.title, () => {
      const venues = [];
      const venue = (options) => {
        const made = new Venue(place, options);
        venues.push(made);
        return made.start();
      };
      afterEach(() => Promise.all(venues.splice(0).map((made) => made.end())));
      define(venue, place);
    });
  }
}

/** The loop has taken in all that was posted. */
function taken(hub) {
  return when(() => hub.stats().inboxBytes === 0, 'an empty inbox');
}

/** The data of event `n`, `size` characters long. */
function numbered(n, size) {
  return `${n} `.padEnd(size, 'x');
}

/** The numbers in the data of these events. */
function numbersOf(events) {
  return events.map(({ data }) => Number.parseInt(data, 10));
}

/** 0, 1, 2, ... up to `count`, and not including it. */
function upTo(count) {
  return Array.from({ length: count }, (_, n) => n);
}

module.exports = { PLACES, overPlaces, numbered, numbersOf, taken, upTo };
