'use strict';

// Tests written once and run on http, Express 4 and Express 5: an app with a hub, middleware in front of its routes, and raw
// connections to it.

const http = require('node:http');
const express4 = require('express4');
const express5 = require('express');
const { createHub } = require('fanline');
const { Connection } = require('./apps-raw');
const { serve } = require('./serve');

const QUIET = { retry: false, heartbeat: false, history: false };

/** Each turns middleware and a listener into what createServer takes. */
const FRAMEWORKS = [
  { name: 'http', wrap: plain },
  { name: 'Express 4', wrap: express(express4) },
  { name: 'Express 5', wrap: express(express5) },
];

function plain(middleware, listener, onError) {
  const guarded = (req, res) => {
    try {
      listener(req, res);
    } catch (err) {
      onError(err);
      if (res.headersSent) res.destroy();
      else res.writeHead(500).end();
    }
  };
  return middleware.reduceRight(
    (next, use) => (req, res) => use(req, res, () => next(req, res)),
    guarded,
  );
}

function express(create) {
  return (middleware, listener, onError) => {
    const app = create();
    for (const use of middleware) app.use(use);
    app.use((req, res) => listener(req, res));
    app.use((err, _req, res, next) => {
      onError(err);
      if (res.headersSent) next(err);
      else res.status(500).end();
    });
    app.set('env', 'test'); // prints no stacks
    return app;
  };
}

class App {
  /**
   * @param {object} framework of FRAMEWORKS
   * @param {{hub?: object, middleware?: Function[], tune?: (server: object) => void}} options
   */
  constructor(framework, { hub, middleware = [], tune } = {}) {
    this.hub = createHub({ ...QUIET, ...hub });
    this.errors = []; // what the framework's error handler got
    this._routes = new Map();
    this._toClose = [];
    this._middleware = middleware;
    this._framework = framework;
    this._tune = tune;
  }

  async start() {
    const listener = this._framework.wrap(
      this._middleware,
      (req, res) => this._routes.get(req.url)(req, res),
      (err) => this.errors.push(err),
    );
    this._server = await serve(listener);
    this.server = this._server.server;
    this.port = this._server.port;
    this._tune?.(this.server);
    return this;
  }

  /** @returns {string} a new path that `listener` answers */
  route(listener) {
    const path = `/${this._routes.size}`;
    this._routes.set(path, listener);
    return path;
  }

  url(path) {
    return `http://127.0.0.1:${this.port}${path}`;
  }

  /** @returns {Connection} that ends with the test */
  connection() {
    const connection = new Connection(this.port);
    this._toClose.push(() => connection.close());
    return connection;
  }

  /** One connection for requests of http.request. */
  agent() {
    const agent = new http.Agent({ keepAlive: true, maxSockets: 1 });
    this._toClose.push(() => agent.destroy());
    return agent;
  }

  /**
   * Asks for a stream. `before(seen)` and `after(seen)` run in the handler, around connect().
   * @returns {Promise<{conn: Connection, req: object, res: object, client: object}>} once the handler has run
   */
  async open({ conn = this.connection(), options, before, after, ...request } = {}) {
    const seen = { conn, finish: 0 };
    await new Promise((resolve, reject) => {
      const path = this.route((req, res) => {
        res.on('finish', () => seen.finish++);
        try {
          Object.assign(seen, { req, res });
          before?.(seen);
          seen.client = this.hub.connect(req, res, options);
          after?.(seen);
          resolve();
        } catch (err) {
          reject(err);
          throw err;
        }
      });
      conn.ask(path, request);
    });
    return seen;
  }

  /** An ordinary answer on the same connection, which must be the `n`th there (from 0) and in order. */
  async pong(conn, n) {
    conn.ask(this.route((_req, res) => res.end('pong')));
    const { status, body } = await conn.response(n);
    if (status !== 200 || body !== 'pong') throw new Error(`${status} ${JSON.stringify(body)}`);
    return conn.responses();
  }

  async end() {
    for (const close of this._toClose) close();
    await this.hub.close({ grace: 0 });
    await this._server.close();
  }
}

/** Runs the tests that `define` makes on each framework. It is given what starts an app, which ends with the test. */
function overApps(define) {
  for (const framework of FRAMEWORKS) {
    describe(framework.name, () => {
      const apps = [];
      const start = (options) => {
        const app = new App(framework, options);
        apps.push(app);
        return app.start();
      };
      afterEach(() => Promise.all(apps.splice(0).map((app) => app.end())));
      define(start);
    });
  }
}

/** Resolves with the reason for which `client` has ended. */
function closed(client) {
  return new Promise((resolve) => client.on('close', resolve));
}

/** `count` numbered events of one line, and their bytes on the wire. */
function numbered(count, from = 0, fill = '') {
  const data = Array.from({ length: count }, (_, i) => `${from + i}${fill}`);
  return { data, wire: data.map((text) => `data: ${text}\n\n`).join('') };
}

/** Waits until `condition()` holds. */
async function eventually(condition, ms = 5_000) {
  const limit = Date.now() + ms;
  while (!condition()) {
    if (Date.now() > limit) throw new Error(`not so after ${ms} ms: ${condition}`);
    await new Promise(setImmediate);
  }
}

module.exports = { App, FRAMEWORKS, closed, eventually, numbered, overApps };
