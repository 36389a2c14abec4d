'use strict';

// One event stream as a test holds it: all that has arrived, the events in it, and waiting for more with a limit.
// What the answer is and how its bytes come is told by requests.js.

const { closed, timedOut } = require('../errors');

const TAIL = 300; // characters of what has arrived that an error shows

class TestStream {
  constructor(createParser, place, url, { method, timeout }) {
    this.url = url.href;
    this.status = 0;
    this.headers = {};
    this.text = '';
    this.events = []; // not yet taken by next()
    this.comments = [];
    this.retry = null;
    this.lastEventId = '';
    this.ended = null;
    this.req = null; // of node:http or node:http2; null with a fetch handler
    this.body = null; // Readable, decompressed
    this._method = method;
    this._timeout = timeout;
    this._place = place;
    this._onGone = () => {};
    this._abort = () => {};
    this._count = 0; // events that came
    this._error = null; // thrown by what answers
    this._cause = null; // of an end out of order
    this._waiters = new Set();
    this._turns = new Set(); // of next()
    this._parser = createParser({
      onEvent: (event) => this._take(event),
      onRetry: (ms) => {
        this.retry = ms;
      },
      onComment: (text) => this.comments.push(text),
    });
  }

  async next(ms = this._timeout) {
    // Calls that wait at the same time are served in their order.
    const turn = {};
    this._turns.add(turn);
    let event = null;
    const take = () => {
      const [first] = this._turns;
      if (first === turn) event = this.events.shift() ?? null;
      if (event !== null) this._turns.delete(turn);
      return event !== null;
    };
    try {
      await this._wait(take, 'No event came', ms, true);
    } finally {
      this._turns.delete(turn);
      this._wake();
    }
    if (event === null && this._error !== null) throw this._error;
    return event;
  }

  async take(count, ms) {
    const list = [];
    while (list.length < count) {
      const event = await this.next(ms);
      if (event === null)
        throw closed('stream', `after ${list.length} of ${count} events; ${this._state()}`);
      list.push(event);
    }
    return list;
  }

  async data(count, ms) {
    return (await this.take(count, ms)).map(({ data }) => data);
  }

  async until(condition, ms = this._timeout) {
    await this._wait(() => condition(this), 'The condition did not come true', ms, false);
  }

  async end(ms = this._timeout) {
    await this._wait(() => this.ended !== null, 'The stream did not end', ms, true);
    return this.ended;
  }

  pause() {
    this.body?.pause();
  }

  resume() {
    this.body?.resume();
  }

  async close() {
    this._over('close');
    this._abort();
    await this._place.release(true);
    this._onGone();
  }

  async *[Symbol.asyncIterator]() {
    try {
      for (let event = await this.next(); event !== null; event = await this.next()) yield event;
    } finally {
      await this.close();
    }
  }

  [Symbol.asyncDispose ?? Symbol.for('Symbol.asyncDispose')]() {
    return this.close();
  }

  /** Waits for the answer to begin. */
  async _begun() {
    const has = () => this.status !== 0;
    await this._wait(has, 'No answer came', this._timeout, true);
    if (this._error !== null) throw this._error;
    if (!has()) throw this._cause ?? closed('stream', this._state());
  }

  /** The answer has begun; `body` is a Readable of text, or null. */
  _answered(status, headers, body) {
    this.status = status;
    this.headers = headers;
    this.body = body;
    this._wake();
    if (body === null) {
      this._over('end');
      return;
    }
    body.setEncoding('utf8');
    body.on('data', (text) => this._feed(text));
    body.on('error', (err) => this._broken(err));
  }

  _feed(text) {
    this.text += text;
    this._parser.feed(text);
    this._wake();
  }

  /** Absent fields are absent: an event compares with what a test writes down. */
  _take({ event, data, id }) {
    const one = { data };
    if (event !== undefined) one.event = event;
    if (id !== undefined) {
      one.id = id;
      this.lastEventId = id;
    }
    this._count++;
    this.events.push(one);
  }

  _over(how) {
    if (this.ended !== null) return;
    this.ended = how;
    this._wake();
    this._place.release(false).then(this._onGone);
  }

  /** The connection has failed. */
  _broken(err) {
    this._cause ??= err;
    this._over(err.code ?? 'error');
  }

  /** What answers has thrown. */
  _fail(err) {
    this._error ??= err;
    this._over('error');
  }

  _wake() {
    for (const wake of this._waiters) wake();
  }

  async _wait(holds, what, ms, isEndFine) {
    const limit = performance.now() + ms;
    while (!holds()) {
      if (this.ended !== null && isEndFine) return;
      if (this.ended !== null) throw this._error ?? closed('stream', this._state());
      const left = limit - performance.now();
      if (left <= 0) throw timedOut(`${what} in ${ms} ms; ${this._state()}`);
      let wake;
      let timer;
      await new Promise((resolve) => {
        wake = resolve;
        this._waiters.add(resolve);
        timer = setTimeout(resolve, Math.ceil(left));
      });
      clearTimeout(timer);
      this._waiters.delete(wake);
    }
  }

  /** For a message: which answer this is, and what of it has arrived. */
  _state() {
    const { status, text } = this;
    const type = this.headers['content-type'] ?? 'no content type';
    const end = this.ended === null ? '' : ` and ended (${this.ended})`;
    const answer = status === 0 ? 'has not answered' : `answered ${status}, ${type}${end}`;
    const tail = text.length > TAIL ? `...${text.slice(-TAIL)}` : text;
    const events = `${this._count} ${this._count === 1 ? 'event' : 'events'} came`;
    const rest =
      text === '' ? 'nothing of a body came' : `${events}, the last bytes: ${JSON.stringify(tail)}`;
    return `${this._method} ${this.url} ${answer}${status === 0 ? '' : `; ${rest}`}`;
  }
}

module.exports = { TestStream };
