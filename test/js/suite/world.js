'use strict';

// The matrix that behaviours are run over, and one server of it with a hub: what a test starts, opens streams to, and
// leaves behind without traces.

const assert = require('node:assert/strict');
const { randomBytes } = require('node:crypto');
const http = require('node:http');
const https = require('node:https');
const compression = require('compression');
const express4 = require('express4');
const express5 = require('express');
const { createHub } = require('fanline');
const { bridge } = require('../support/fetch-bridge');
const { connect2, open2 } = require('../support/open-h2');
const { open } = require('../support/open');
const { serve } = require('../support/serve');
const { openRaw } = require('./raw');

/** `cause`: what stats() says of a client that is on relay. `server`: of serve(), where `kind` does not say it. */
const TRANSPORTS = [
  { name: 'fd', kind: 'http', transport: 'fd' },
  { name: 'relay, http', kind: 'http', cause: 'option', hub: { transport: 'relay' } },
  { name: 'relay, https', kind: 'https', cause: 'tls' },
  { name: 'relay, http2', kind: 'http2', cause: 'http2' },
  {
    name: 'relay, compression',
    kind: 'http',
    cause: 'encoding',
    encoding: 'gzip',
    headers: { 'Cache-Control': 'no-cache' }, // the default forbids it to transform
    request: { 'Accept-Encoding': 'gzip' },
    middleware: [compression],
  },
  {
    name: 'detached',
    kind: 'http',
    transport: 'detached',
    hub: { transport: 'detached' },
    // What Node has let go of it does not end, pipe into, or use again: test/api/density*.test.js says what happens instead.
    without: [
      'uses detached, and says so at once',
      'sse() opens one stream without a hub',
      'by a destroyed response is noticed by both sides',
      'ends the stream in order; close comes after finish, and once',
      'leaves the connection to the next request',
      'serves HTTP/1.0 without chunks, the end of the connection being the end',
      'answers pipelined requests one after the other',
      'res.end() is a graceful close',
      'res.end(callback) calls back when all is written, and writes a last block as it is',
      'readable.pipe(res) passes everything and ends the stream',
      'a piped source waits for a reader that has stopped',
      'an end() put there before connect runs once at client.close()',
      'an end() put there before connect runs once at res.end()',
      'an end() put there before connect runs once at hub.close()',
      'an end() put there after connect runs once at client.close()',
      'an end() put there after connect runs once at hub.close()',
      'a write() kept from before connect is never torn',
      'an end() kept from before connect ends the stream in order',
    ],
  },
];

/**
 * Each turns middleware and a listener into what createServer takes, or a promise of it. Express knows nothing of HTTP/2.
 * `kinds`: of TRANSPORTS, where it does not know all.
 */
const FRAMEWORKS = [
  { name: 'http', wrap: plain },
  { name: 'Express 4', wrap: express(express4), kinds: ['http', 'https'] },
  { name: 'Express 5', wrap: express(express5), kinds: ['http', 'https'] },
];

/** The matrix of these: one for each pair that goes together. */
function combosOf(transports, ...frameworks) {
  return transports.flatMap((transport) =>
    frameworks
      .filter(({ kinds }) => kinds === undefined || kinds.includes(transport.kind))
      .map((framework) => ({
        transport: 'relay',
        headers: undefined,
        ...transport,
        title: `${transport.name}, ${framework.name}`,
        framework,
      })),
  );
}

const COMBOS = combosOf(TRANSPORTS, ...FRAMEWORKS);

/**
 * The same over hub.response(), behind a server that speaks the Fetch API. Not what is about a response in Node's hands, or
 * about the connection, which is that server's.
 */
const FETCH = {
  title: 'relay, Fetch API',
  name: 'relay, fetch',
  kind: 'http',
  transport: 'relay',
  cause: 'fetch',
  framework: { name: 'Fetch API', wrap: withErrors },
  bridge,
  without: [
    'keeps headers that the application has set before',
    'can be asked for relay by one client',
    'throws when the response has already begun, and leaves it alone',
    'sse() opens one stream without a hub',
    'answers pipelined requests one after the other',
    'tells when to come back, ends the streams, then the connections',
    'refuses bad options at once',
  ],
};

function withErrors(_middleware, listener, onError) {
  return (req, res) =>
    listener(req, res, (err) => {
      onError(err);
      res.writeHead(err.status ?? 500).end();
    });
}

function plain(middleware, listener) {
  return middleware.reduceRight(
    (next, use) => (req, res) => use(req, res, () => next(req, res)),
    (req, res) => listener(req, res),
  );
}

function express(create) {
  return (middleware, listener, onError) => {
    const app = create();
    for (const use of middleware) app.use(use);
    app.use(listener);
    app.use((err, _req, res, _next) => {
      onError(err);
      res.status(err.status ?? 500).end();
    });
    return app;
  };
}

/** Node has let go of the connection, or it is about to end. */
async function settled(client) {
  while (client.transport === 'fd' && client._closing === null) {
    await new Promise((resolve) => setImmediate(resolve));
  }
}

const QUIET = { retry: false, heartbeat: false, history: false };

class World {
  constructor(combo, options) {
    this.combo = combo;
    // Bytes are compared: ids have suites of their own.
    this.hub = createHub({ history: false, ...options, ...combo.hub });
    combo.bridge?.(this.hub);
    this.errors = []; // what reached the framework's error handler
    this._routes = new Map();
    this._open = []; // to be closed at the end
  }

  async start() {
    const { framework, kind, server = kind, middleware = [] } = this.combo;
    const listener = await framework.wrap(
      middleware.map((create) => create()),
      (req, res, next) => this._routes.get(req.url)(req, res, next),
      (err) => this.errors.push(err),
      this.hub,
    );
    this.server = await serve(listener, server);
    return this;
  }

  /** @returns {string} the address of a new path that `listener` answers */
  route(listener) {
    const path = `/${this._routes.size}`;
    this._routes.set(path, listener);
    return this.server.url + path;
  }

  /** What connect() is to be given here. */
  options(connect) {
    const { headers } = this.combo;
    return headers ? { ...connect, headers: { ...headers, ...connect?.headers } } : connect;
  }

  /** Opens a stream with the byte-exact reader. @returns {Promise<Stream>} */
  async read(url, request = {}) {
    const go = this.combo.kind === 'http2' ? open2 : open;
    const headers = { ...this.combo.request, ...request.headers };
    const stream = await go(url, { ...request, headers });
    this._open.push(stream);
    return stream;
  }

  /** Asks for what `listener` answers. */
  visit(listener, request) {
    return this.read(this.route(listener), request);
  }

  /**
   * A client of the hub and its reader.
   * @returns {Promise<{stream: Stream, client: object, req: object, res: object}>}
   */
  async open(connect, request) {
    const seen = {};
    const listener = (req, res) => {
      Object.assign(seen, { req, res });
      seen.client = this.hub.connect(req, res, this.options(connect));
    };
    seen.stream = await this.visit(listener, request);
    if (this.combo.transport === 'detached') await settled(seen.client);
    return seen;
  }

  /** `{ name: connect options }` → `{ name: { stream, client, … } }` */
  async openAll(wanted) {
    const list = Object.entries(wanted).map(async ([name, connect]) => [
      name,
      await this.open(connect),
    ]);
    return Object.fromEntries(await Promise.all(list));
  }

  /** One connection that several requests may use: for `request.agent`. */
  async connection() {
    const { kind } = this.combo;
    if (kind === 'http2') {
      const session = await connect2(this.server.url);
      this._open.push(session);
      return session;
    }
    const agent = new (kind === 'https' ? https : http).Agent({ keepAlive: true, maxSockets: 1 });
    this._open.push({ close: () => agent.destroy() });
    return agent;
  }

  /** A connection on which `text` was written (HTTP/1 only). */
  raw(text) {
    const raw = openRaw(this.server.url, text);
    this._open.push(raw);
    return raw;
  }

  async end() {
    for (const it of this._open) it.close();
    await this.hub.close({ grace: 0 });
    await this.server.close();
    assert.equal(this.hub.size, 0);
    assert.deepEqual([...this.hub.rooms], []);
  }
}

/** Takes the tests out that have no meaning for `combo`; each has to be there. */
function leaveOut(suites, combo) {
  const left = new Set(combo.without);
  for (const suite of suites) suite.tests = suite.tests.filter(({ title }) => !left.delete(title));
  assert.deepEqual([...left], [], 'tests to be left out that are not there');
}

/** Runs `behaviours` over the matrix. Each is called with what its tests need. */
function overMatrix(behaviours, combos = COMBOS) {
  for (const combo of combos) {
    describe(combo.title, function () {
      const worlds = [];
      const world = async (options = QUIET) => {
        const made = new World(combo, options);
        worlds.push(made);
        return made.start();
      };
      afterEach(() => Promise.all(worlds.splice(0).map((made) => made.end())));
      for (const behaviour of behaviours) behaviour({ combo, world });
      leaveOut(this.suites, combo);
    });
  }
}

/** All that has come is `text`. */
async function arrives(stream, text, ms) {
  await stream.until(() => stream.text.length >= text.length || stream.ended !== null, ms);
  assert.equal(stream.text, text);
}

/** The data of all events up to one that says `last`. */
async function upTo(stream, last) {
  const list = [];
  for (;;) {
    const event = await stream.next();
    if (event === null) throw new Error(`the stream ended after ${JSON.stringify(list)}`);
    if (event.data === last) return list;
    list.push(event.data);
  }
}

const NOISE = randomBytes(96 * 1024).toString('base64');

/** Text of that length, at most 128 KiB, which compression makes little smaller. */
function noise(length) {
  return NOISE.slice(0, length);
}

module.exports = { COMBOS, FETCH, QUIET, TRANSPORTS, arrives, combosOf, noise, overMatrix, upTo };
