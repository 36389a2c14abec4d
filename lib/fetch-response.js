'use strict';

// What connect() asks of a response, on top of a Web ReadableStream: with it a client of a Fetch API server is taken over as any
// other (lib/takeover.js, lib/relay.js). Nothing is handed over unasked: a block leaves when somebody reads, and only then is
// the loop told that it may send more.

const { EventEmitter } = require('node:events');
const errors = require('./errors');

const CLIENT_GONE = 499; // nobody is there to read it; a Response needs a status

/** A chunk that shares its memory with no other: a reader may transfer or overwrite what it was given. */
function ownChunk(bytes) {
  return bytes.length === bytes.buffer.byteLength
    ? new Uint8Array(bytes.buffer)
    : new Uint8Array(bytes);
}

class FetchResponse extends EventEmitter {
  /** @param {AbortSignal} [signal] of the request */
  constructor(signal) {
    super();
    this.relayCause = 'fetch';
    this.statusCode = 200;
    this.headersSent = false;
    this.writableEnded = false;
    this.writableLength = 0; // bytes that nobody has read
    this.destroyed = signal?.aborted === true;
    this._headers = new Headers();
    this._body = null;
    this._controller = null;
    this._chunks = [];
    this._wanted = false; // somebody reads, and there was nothing
    this._signal = signal;
    this._onAbort = () => this._aborted();
    if (!this.destroyed) signal?.addEventListener('abort', this._onAbort, { once: true });
  }

  setHeader(name, value) {
    this._headers.delete(name);
    for (const text of Array.isArray(value) ? value : [value]) this._headers.append(name, text);
  }

  removeHeader(name) {
    this._headers.delete(name);
  }

  /** From here on it is a stream. */
  flushHeaders() {
    this.headersSent = true;
    const source = {
      start: (controller) => {
        this._controller = controller;
      },
      pull: () => this._pull(),
      cancel: () => this._gone(),
    };
    this._body = new ReadableStream(source, { highWaterMark: 0 });
  }

  /** @returns {boolean} false: nobody has asked for it yet; `drain` tells when more is welcome */
  write(bytes) {
    if (this._wanted && !this.destroyed) {
      this._hand(bytes);
      return true;
    }
    this._chunks.push(bytes);
    this.writableLength += bytes.length;
    return false;
  }

  /** @param {string} [text] the whole body of an answer that is no stream */
  end(text) {
    if (this.writableEnded || this.destroyed) return;
    this.writableEnded = true;
    if (this._controller === null) {
      if (text !== undefined) this._body = new TextEncoder().encode(text); // a string would bring a Content-Type
      this._release();
    } else if (this._chunks.length === 0) this._finish();
  }

  /** Cuts the stream: whoever reads gets an error, not an end. */
  destroy() {
    if (this.destroyed) return;
    this._gone();
    this._controller?.error(errors.closed('event stream'));
  }

  /** @returns {Response} to be taken once */
  toResponse() {
    const status = this.headersSent || this.writableEnded ? this.statusCode : CLIENT_GONE;
    return new Response(this._body, { status, headers: this._headers });
  }

  // ---- the stream ----

  _pull() {
    const bytes = this._chunks.shift();
    if (bytes === undefined) {
      this._wanted = true;
      return;
    }
    this.writableLength -= bytes.length;
    this._hand(bytes);
    if (this._chunks.length > 0) return;
    if (this.writableEnded) this._finish();
    else this.emit('drain');
  }

  _hand(bytes) {
    this._wanted = false; // before: enqueue() pulls again where several read
    this._controller.enqueue(ownChunk(bytes));
  }

  /** Whoever waits for our end may then close the server: its reader is given the time to see the end first, and write it. */
  _finish() {
    this._release();
    this._controller.close();
    setImmediate(() => this.emit('finish'));
  }

  /** The peer has left. A server that tells us so cancels the body next; if it were to find an error first, it would report one. */
  _aborted() {
    this._gone();
    setImmediate(() => this._controller?.error(this._signal.reason));
  }

  /** The reader has left, or must. */
  _gone() {
    this.destroyed = true;
    this._release();
    process.nextTick(() => this.emit('close'));
  }

  _release() {
    this._signal?.removeEventListener('abort', this._onAbort);
  }
}

module.exports = { FetchResponse };
