'use strict';

// A byte-exact reader of one event stream over a plain HTTP/1.1 request: what arrived (after the transfer coding and gzip),
// and the events in it as eventsource-parser, an independent parser, reads them.

const http = require('node:http');
const https = require('node:https');
const zlib = require('node:zlib');
const { createParser } = require('eventsource-parser');

class Stream {
  constructor(req) {
    this.req = req;
    this.status = 0;
    this.headers = {};
    this.text = ''; // all that has arrived
    this.events = []; // parsed, not yet taken: { event, data, id }
    this.retry = null;
    this.comments = [];
    this.ended = null; // 'end': in order; else the error's code
    this._waiters = [];
    this._parser = createParser({
      onEvent: (event) => this.events.push(event),
      onRetry: (ms) => {
        this.retry = ms;
      },
      onComment: (text) => this.comments.push(text),
    });
  }

  _feed(text) {
    this.text += text;
    this._parser.feed(text);
    this._wake();
  }

  _over(how) {
    this.ended ??= how;
    this._wake();
  }

  _wake() {
    for (const waiter of this._waiters.splice(0)) waiter();
  }

  /** Resolves when `condition(stream)` holds; rejects when the stream ends first, or after `ms`. */
  async until(condition, ms = 5_000) {
    const limit = Date.now() + ms;
    while (!condition(this)) {
      if (this.ended !== null)
        throw new Error(
          `the stream ended (${this.ended}) with ${JSON.stringify(this.text.slice(-300))}`,
        );
      const left = limit - Date.now();
      if (left <= 0)
        throw new Error(
          `nothing came in ${ms} ms; so far ${JSON.stringify(this.text.slice(-300))}`,
        );
      let timer;
      await new Promise((resolve) => {
        this._waiters.push(resolve);
        timer = setTimeout(resolve, left);
      });
      clearTimeout(timer);
    }
  }

  /** The next event; null when the stream has ended. */
  async next(ms = 5_000) {
    if (this.events.length === 0 && this.ended !== null) return null;
    await this.until((stream) => stream.events.length > 0 || stream.ended !== null, ms).catch(
      (err) => {
        if (this.ended === null) throw err;
      },
    );
    return this.events.shift() ?? null;
  }

  /** The next `count` events' data. */
  async data(count, ms) {
    const list = [];
    while (list.length < count) {
      const event = await this.next(ms);
      if (event === null)
        throw new Error(`the stream ended after ${list.length} of ${count} events`);
      list.push(event.data);
    }
    return list;
  }

  /** Waits for the end. @returns {Promise<string>} how it came */
  async end(ms = 5_000) {
    await this.until((stream) => stream.ended !== null, ms).catch((err) => {
      if (this.ended === null) throw err;
    });
    return this.ended;
  }

  /** The body as it was meant, decompressed; fed to the parser. */
  _read(body) {
    this.body = body;
    body.setEncoding('utf8');
    body.on('data', (text) => this._feed(text));
    body.on('error', (err) => this._over(err.code ?? 'error'));
  }

  /** Stops reading: the peer's writes fill the kernel's buffers, then wait. */
  pause() {
    this.body.pause();
  }

  resume() {
    this.body.resume();
  }

  close() {
    this.req.destroy();
  }
}

/**
 * @param {string} url http or https (the certificate is not checked)
 * @param {{method?: string, headers?: object, body?: string, lastEventId?: string, agent?: object,
 *   abort?: AbortSignal}} [options]
 * @returns {Promise<Stream>} once the headers are there
 */
function open(url, { method = 'GET', headers = {}, body, lastEventId, agent = false, abort } = {}) {
  const own = { Accept: 'text/event-stream', ...headers };
  if (lastEventId !== undefined) own['Last-Event-ID'] = lastEventId;
  const module_ = url.startsWith('https:') ? https : http;
  return new Promise((resolve, reject) => {
    const req = module_.request(url, {
      method,
      headers: own,
      agent,
      rejectUnauthorized: false,
      signal: abort,
    });
    const stream = new Stream(req);
    req.on('error', (err) => {
      stream._over(err.code ?? 'error');
      reject(err);
    });
    req.on('response', (res) => {
      stream.status = res.statusCode;
      stream.headers = res.headers;
      stream.res = res;
      const isGzip = res.headers['content-encoding'] === 'gzip' && method !== 'HEAD';
      stream._read(isGzip ? res.pipe(zlib.createGunzip()) : res);
      stream.body.on('end', () => stream._over('end'));
      res.on('error', (err) => stream._over(err.code ?? 'error'));
      res.on('close', () => !(isGzip && res.complete) && stream._over('close'));
      resolve(stream);
    });
    req.end(body);
  });
}

module.exports = { Stream, open };
