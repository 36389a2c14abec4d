'use strict';

// One TCP connection, byte for byte: what is sent, what came back, and a strict reading of it as HTTP/1 responses.

const net = require('node:net');

const NO_BODY = new Set([204, 304]);

function readHead(text, at) {
  const end = text.indexOf('\r\n\r\n', at);
  if (end < 0) return null;
  const [line, ...lines] = text.slice(at, end).split('\r\n');
  const status = /^HTTP\/1\.1 (\d{3}) /.exec(line);
  if (status === null) throw new Error(`not a status line: ${JSON.stringify(line.slice(0, 200))}`);
  const headers = {};
  for (const field of lines) {
    const colon = field.indexOf(':');
    headers[field.slice(0, colon).toLowerCase()] = field.slice(colon + 1).trim();
  }
  return { status: Number(status[1]), headers, at: end + 4 };
}

/** `{ chunks, at }`; `at` is where the next response begins, -1 while the terminator has not come. */
function readChunks(text, from) {
  const chunks = [];
  let at = from;
  for (;;) {
    const end = text.indexOf('\r\n', at);
    if (end < 0) return { chunks, at: -1 };
    const line = text.slice(at, end);
    if (!/^[0-9a-fA-F]{1,8}$/.test(line)) {
      throw new Error(`not a chunk size: ${JSON.stringify(line.slice(0, 200))}`);
    }
    const next = end + 2 + Number.parseInt(line, 16);
    if (text.length < next + 2) return { chunks, at: -1 };
    if (text.slice(next, next + 2) !== '\r\n') throw new Error('a chunk is longer than it says');
    if (next === end + 2) return { chunks, at: next + 2 };
    chunks.push(text.slice(end + 2, next));
    at = next + 2;
  }
}

/**
 * Takes what a server wrote apart, and throws where it is not HTTP/1.
 * @param {string} text one character per byte
 * @param {string[]} methods of the requests
 * @param {boolean} ended has the connection ended?
 * @returns {{status: number, headers: object, chunks: string[]|null, body: string, complete: boolean}[]}
 */
function parse(text, methods, ended) {
  const responses = [];
  for (let at = 0; at < text.length; ) {
    if (responses.length === methods.length) {
      throw new Error(`nobody asked for ${JSON.stringify(text.slice(at, at + 200))}`);
    }
    const head = readHead(text, at);
    if (head === null) break;
    const { status, headers } = head;
    const one = { status, headers, chunks: null, body: '', complete: true };
    responses.push(one);
    at = head.at;
    if (methods[responses.length - 1] === 'HEAD' || NO_BODY.has(status)) continue;
    if (headers['transfer-encoding'] === 'chunked') {
      const read = readChunks(text, at);
      one.chunks = read.chunks;
      one.body = read.chunks.join('');
      one.complete = read.at >= 0;
      at = read.at;
    } else {
      const size = Number(headers['content-length'] ?? Infinity);
      one.body = text.slice(at, at + size);
      one.complete = one.body.length === size || (size === Infinity && ended);
      at += size;
    }
    if (!one.complete) break;
  }
  return responses;
}

class Connection {
  constructor(port) {
    this.methods = [];
    this.text = ''; // one character per byte
    this.ended = null; // 'end' (FIN), or the error's code
    this._waiters = [];
    this.socket = net.connect(port, '127.0.0.1');
    this.socket.setEncoding('latin1');
    this.socket.on('data', (text) => {
      this.text += text;
      this._wake();
    });
    this.socket.on('error', (err) => this._over(err.code));
    this.socket.on('end', () => this._over('end'));
    this.socket.on('close', () => this._over('close'));
  }

  _over(how) {
    this.ended ??= how;
    this._wake();
  }

  _wake() {
    for (const waiter of this._waiters.splice(0)) waiter();
  }

  send(bytes) {
    this.socket.write(bytes);
  }

  /** Writes a request. `body`: all of it, or what is sent of `length` bytes. */
  ask(path, { method = 'GET', version = '1.1', headers = {}, body, length = body?.length } = {}) {
    const all = { Host: 'localhost', ...headers };
    if (length !== undefined) all['Content-Length'] = length;
    const lines = Object.entries(all).map(([name, value]) => `${name}: ${value}\r\n`);
    this.methods.push(method);
    this.send(`${method} ${path} HTTP/${version}\r\n${lines.join('')}\r\n`);
    if (body !== undefined) this.send(body);
  }

  /** Resolves when `condition(connection)` holds; rejects when that cannot be any more, or after `ms`. */
  async until(condition, ms = 8_000) {
    const limit = Date.now() + ms;
    while (!condition(this)) {
      const left = limit - Date.now();
      if (this.ended !== null || left <= 0) {
        const tail = JSON.stringify(this.text.slice(-300));
        throw new Error(`${this.ended ?? 'nothing came'} after ${this.text.length} bytes: ${tail}`);
      }
      let timer;
      await new Promise((resolve) => {
        this._waiters.push(resolve);
        timer = setTimeout(resolve, left);
      });
      clearTimeout(timer);
    }
  }

  /** All responses so far, taken apart. */
  responses() {
    return parse(this.text, this.methods, this.ended !== null);
  }

  /** Waits for the `n`th response (from 0), complete. */
  async response(n = 0, ms) {
    await this.until(() => this.responses()[n]?.complete === true, ms);
    return this.responses()[n];
  }

  /** Waits until the body of the last response so far ends with `text`. */
  async body(text, ms) {
    await this.until(() => this.responses().at(-1)?.body.endsWith(text) === true, ms);
  }

  /** Waits for the end of the connection. @returns {Promise<string>} how it came */
  async end(ms) {
    await this.until(() => this.ended !== null, ms);
    return this.ended;
  }

  pause() {
    this.socket.pause();
  }

  resume() {
    this.socket.resume();
  }

  /** Goes on reading, one small step in each pass of the event loop. */
  readSlowly() {
    this.socket.on('data', () => {
      this.socket.pause();
      setImmediate(() => this.socket.resume());
    });
    this.socket.resume();
  }

  close() {
    this.socket.destroy();
  }
}

module.exports = { Connection, parse };
