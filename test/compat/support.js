'use strict';

// Both libraries, each behind an Express app whose streams a test holds by both ends: the session, and what its reader reads.

const assert = require('node:assert/strict');
const http = require('node:http');
const express = require('express');
const testing = require('fanline/testing');

const LIBS = [
  ['better-sse', require('better-sse')],
  ['fanline/compat/better-sse', require('fanline/compat/better-sse')],
];
const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;

/** Each of the suites' tests runs against both. @param {(lib: object, name: string) => void} tests */
function forBoth(title, tests) {
  for (const [name, lib] of LIBS) describe(`${title}: ${name}`, () => tests(lib, name));
}

class Stage {
  constructor(lib) {
    this.lib = lib;
    this._routes = new Map();
    this._streams = [];
    this.app = express();
    this.app.use((req, res) => this._routes.get(req.path)(req, res));
    this.server = http.createServer(this.app);
  }

  async start() {
    await new Promise((resolve) => this.server.listen(0, '127.0.0.1', resolve));
    this.url = `http://127.0.0.1:${this.server.address().port}`;
  }

  /** What the next request is answered with. @returns {string} where to ask */
  route(answer) {
    const path = `/${this._routes.size}`;
    this._routes.set(path, answer);
    return this.url + path;
  }

  async read(url, options) {
    const stream = await testing.open(url, { method: 'GET', ...options });
    this._streams.push(stream);
    return stream;
  }

  /** @returns {Promise<{session, stream, req, res}>} a session of its own, and its reader */
  async open(options, { query = '', ...request } = {}) {
    let answered;
    const made = new Promise((resolve, reject) => {
      answered = (req, res) =>
        this.lib
          .createSession(req, res, options)
          .then((session) => resolve({ session, req, res }), reject);
    });
    const reading = this.read(this.route(answered) + query, request);
    return { ...(await made), stream: await reading };
  }

  async stop() {
    for (const stream of this._streams) stream.close();
    this.server.closeAllConnections();
    await new Promise((resolve) => this.server.close(resolve));
  }
}

/** Hooks for a stage of each test. @returns {() => Stage} */
function staged(lib) {
  let stage;
  beforeEach(() => {
    stage = new Stage(lib);
    return stage.start();
  });
  afterEach(() => stage.stop());
  return () => stage;
}

/** Resolves when `condition()` holds. */
async function when(condition, what, ms = 5_000) {
  const limit = Date.now() + ms;
  while (!condition()) {
    assert(Date.now() < limit, `${what} did not come true in ${ms} ms`);
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
}

/** The next events of a stream, as [event, id, data]. */
async function take(stream, count) {
  const taken = [];
  for (let i = 0; i < count; i++) {
    const { event, id, data } = await stream.next();
    taken.push([event, id, data]);
  }
  return taken;
}

module.exports = { LIBS, Stage, UUID, forBoth, staged, take, when };
