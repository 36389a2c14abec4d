'use strict';

// What the tests of `fanline/client` share: a server that answers as a test says, and sources whose events are kept.

const { once } = require('node:events');
const { serve } = require('../../js/support/serve');

const STREAM = { 'Content-Type': 'text/event-stream' };
const OWN = ['open', 'error', 'message', 'fanline:reset', 'fanline:end'];

/** Resolves when `condition()`, which may be a promise, holds. */
async function when(condition, what = 'the condition', ms = 5_000) {
  const limit = Date.now() + ms;
  while (!(await condition())) {
    if (Date.now() > limit) throw new Error(`${what} did not come true in ${ms} ms`);
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
}

/** A server that hands each request to the next of `answers`, the last one to all further requests. */
class Scripted {
  constructor(answers) {
    this.requests = []; // { method, headers, body, at }
    this.streams = []; // their responses
    this._answers = answers;
  }

  static async start(...answers) {
    const scripted = new Scripted(answers);
    const server = await serve((req, res) => scripted._answer(req, res));
    return Object.assign(scripted, server);
  }

  async _answer(req, res) {
    const index = this.requests.length;
    const request = { method: req.method, headers: req.headers, body: '', at: performance.now() };
    this.requests.push(request);
    this.streams.push(res);
    for await (const chunk of req) request.body += chunk;
    const answer = this._answers[Math.min(index, this._answers.length - 1)];
    await answer(res, request, index);
  }

  connections() {
    return new Promise((resolve) => this.server.getConnections((_err, count) => resolve(count)));
  }
}

/** Answers: a stream that begins with `text` and stays. */
const stays =
  (text = ':\n') =>
  (res) => {
    res.writeHead(200, STREAM).write(text);
  };

/** A stream of `text` that ends in order. */
const ends =
  (text = ':\n') =>
  (res) => {
    res.writeHead(200, STREAM).end(text);
  };

/** A stream of `text` whose connection breaks off. */
const breaks =
  (text = ':\n') =>
  (res) => {
    res.writeHead(200, STREAM).write(text, () => setImmediate(() => res.destroy()));
  };

/** Another status than 200. */
const status =
  (code, headers = {}) =>
  (res) => {
    res.writeHead(code, headers).end('nothing to see');
  };

/** A source, and all that it tells. */
class Follower {
  /** @param {object} source @param {string[]} names of events beside the usual ones */
  constructor(source, names = []) {
    this.source = source;
    this.log = []; // events, as they came
    for (const name of new Set([...OWN, ...names])) {
      source.addEventListener(name, (event) => {
        event.state = source.readyState; // when it was told
        this.log.push(event);
      });
    }
  }

  of(type) {
    return this.log.filter((event) => event.type === type);
  }

  get types() {
    return this.log.map(({ type }) => type);
  }

  /** All data but that of the client's own events. */
  get data() {
    return this.log.filter(({ data }) => data !== undefined).map(({ data }) => data);
  }

  /** Waits for the `count`th event of that type. @returns {Promise<object>} that event */
  async until(type, count = 1, ms = 5_000) {
    const what = `${type} no. ${count} of ${this.source.url}`;
    await when(() => this.of(type).length >= count, what, ms);
    return this.of(type)[count - 1];
  }
}

/** Closes what a test has opened. */
class Bench {
  constructor(EventSource) {
    this.EventSource = EventSource;
    this._open = [];
  }

  /** @returns {Follower} */
  follow(url, options, names) {
    const source = new this.EventSource(url, { retry: { min: 10, max: 50 }, ...options });
    this._open.push(source);
    return new Follower(source, names);
  }

  async server(...answers) {
    const server = await Scripted.start(...answers);
    this._open.push(server);
    return server;
  }

  keep(...closeables) {
    this._open.push(...closeables);
    return closeables[0];
  }

  async close() {
    for (const it of this._open.splice(0)) await it.close();
  }
}

/** To be called inside a `describe`: a fresh bench for each test. */
function useBench() {
  const bench = new Bench();
  before(async () => {
    bench.EventSource = (await import('fanline/client')).EventSource;
  });
  afterEach(() => bench.close());
  return bench;
}

module.exports = { STREAM, breaks, ends, once, status, stays, useBench, when };
