'use strict';

// In the primary: where one hub of a worker is served. It is given what comes next as it takes it, so that no more than a window
// of bytes is on its way; one that lags is a place in the history and nothing else, and when the history has gone past it, it
// is told so.

const { timingSafeEqual } = require('node:crypto');
const { idOf, seqOf } = require('../distribution/ids');
const { FrameReader, KIND, PROTOCOL, f64, frame, jsonFrame, u32 } = require('./frames');
const { sequencerOf } = require('./sequencer');

const COUNT = 1_024; // events in a frame
const WINDOW = 1 << 20; // bytes that it has not yet taken
const PAGE = 1 << 20; // bytes of what is read from the history at a time
const HELLO = 5_000; // ms to say who it is
const HELLO_BYTES = 4_096;

class Desk {
  /**
   * @param {import('node:net').Socket} socket of somebody
   * @param {Buffer} token that workers have
   */
  constructor(socket, token) {
    this.process = undefined;
    this.users = new Map();
    this._socket = socket;
    this._token = token;
    this._sequencer = null;
    this._cursor = 0;
    this._onWay = 0;
    this._isWoken = false;
    const reader = new FrameReader((kind, body) => this._take(kind, body));
    socket.unref();
    socket.setTimeout(HELLO, () => socket.destroy());
    socket.on('data', (chunk) => this._read(reader, chunk));
    socket.on('error', () => {}); // 'close' comes behind it
    socket.on('close', () => this._sequencer?.leave(this, false));
  }

  _read(reader, chunk) {
    try {
      reader.push(chunk);
      if (this._sequencer === null && reader.wanted > HELLO_BYTES) this._socket.destroy();
    } catch {
      this._socket.destroy(); // that is none of ours
    }
  }

  _take(kind, body) {
    if (this._socket.destroyed) return;
    if (this._sequencer === null) this._hello(kind, body);
    else if (kind === KIND.PUBLISH) this._publish(body);
    else if (kind === KIND.TAKEN) this._taken(body.readUInt32LE(0));
    else if (kind === KIND.ASK) this._asked(JSON.parse(body));
  }

  _hello(kind, body) {
    const hello = kind === KIND.HELLO ? JSON.parse(body) : {};
    const token = Buffer.from(String(hello.token), 'latin1');
    const isKnown = token.length === this._token.length && timingSafeEqual(token, this._token);
    if (!isKnown) {
      this._socket.destroy();
      return;
    }
    if (hello.protocol !== PROTOCOL) {
      const why = 'the primary has loaded another version of fanline: start it anew';
      this._socket.end(frame(KIND.REFUSED, Buffer.from(why)));
      return;
    }
    this._socket.setTimeout(0);
    this.process = hello.process;
    this._sequencer = sequencerOf(hello.prefix);
    this._sequencer.keep(hello.maxLen, hello.maxBytes);
    this._sequencer.join(this);
    this._cursor = hello.after === null ? this._sequencer.placeAt(hello.since) : seqOf(hello.after);
    this._socket.write(frame(KIND.STARTED, f64(this._cursor)));
    this.wake();
  }

  // ---- what it asks ----

  _publish(body) {
    const n = body.readUInt32LE(0);
    const events = Buffer.from(body.subarray(12)); // the chunk it lies in would stay as long as the event
    this._do(n, () => {
      const { seq, count } = this._sequencer.append(this.process, body.readDoubleLE(4), events);
      return Array.from({ length: count }, (_, i) => idOf(seq + i));
    });
  }

  _asked({ n, verb, args }) {
    const sequencer = this._sequencer;
    switch (verb) {
      case 'read':
        this._page(n, ...args);
        break;
      case 'processes':
        this._do(n, () => sequencer.processes());
        break;
      case 'answer':
        this._do(n, () => sequencer.answer(...args));
        break;
      case 'admit':
        this._do(n, () => sequencer.admit(this, ...args));
        break;
      case 'bye':
        sequencer.leave(this, true);
        this._do(n, () => true);
    }
  }

  _do(n, action) {
    let done;
    try {
      done = { n, value: action() };
    } catch (err) {
      done = { n, error: err.message };
    }
    this._socket.write(jsonFrame(KIND.DONE, done));
  }

  _page(n, after, count) {
    const seq = seqOf(after);
    const isWhole = seq >= this._sequencer.letGo;
    const events = isWhole ? this._sequencer.after(seq, count, PAGE) : [];
    this._socket.write(frame(KIND.PAGE, u32(n), Buffer.of(isWhole ? 1 : 0), ...events));
  }

  // ---- what it is told ----

  answered(text) {
    this._socket.write(frame(KIND.ANSWERED, Buffer.from(text)));
  }

  /** The same process is here again: its old connection is not yet known to have ended. */
  replaced() {
    this._sequencer.leave(this, false);
    this._socket.destroy();
  }

  /** There is more. What comes in one turn goes out together. */
  wake() {
    if (this._isWoken) return;
    this._isWoken = true;
    setImmediate(() => {
      this._isWoken = false;
      this._give();
    });
  }

  _give() {
    const sequencer = this._sequencer;
    while (!this._socket.destroyed && this._onWay < WINDOW) {
      if (this._cursor < sequencer.letGo) {
        this._cursor = sequencer.letGo;
        this._socket.write(frame(KIND.LOST, f64(this._cursor)));
      }
      if (this._cursor >= sequencer.last) return;
      const page = sequencer.pageAfter(this._cursor, COUNT, WINDOW - this._onWay);
      this._cursor = page.last;
      this._onWay += page.bytes;
      this._socket.write(page.frame);
    }
  }

  _taken(bytes) {
    this._onWay -= bytes;
    this.wake();
  }
}

module.exports = { Desk };
