'use strict';

// Readers of event streams for many connections and many bytes: raw sockets, a minimal parser of the transfer coding, and
// checks that cost next to nothing for each event. They work in any process; readers.js puts them into one of their own.

const crypto = require('node:crypto');
const net = require('node:net');

const FRAME = Buffer.from('data: ');
const ID = /^id: [a-z][a-z0-9]{7}-(\d+)\n/;
const ID_LINE_MAX = 32;
const LF = 10;
const I = 105;
const SPACE = 32;
const ZERO = 48;
const OPENING = 200; // connections that are being opened at the same time

/** The data of numbered event `n`: the number, and filling up to `size` bytes. */
function textOf(n, size) {
  return `${n} `.padEnd(size, 'x');
}

/**
 * One connection. An event is a chunk that begins with `data: <number>`, or with an id of the hub's and then that; the numbers
 * must count up from 0, and ids must rise.
 */
class Reader {
  /** @param {{stalled?: boolean, size?: number, hash?: boolean}} how `size`: events must be textOf(n, size) */
  constructor({ stalled = false, size = 0, hash = false }) {
    this.events = 0;
    this.ids = 0; // events with an id
    this.wrong = 0; // events out of order, or not as they should be
    this.bytes = 0; // of the body
    this.ended = null; // 'whole': in order; 'cut': without terminator; or the error's code
    this.opened = false;
    this._filling = size > 0 ? Buffer.alloc(size, 'x') : null;
    this._hash = hash ? crypto.createHash('sha1') : null;
    this._rest = null;
    this._lastId = -1;
    this._stalled = stalled;
    this._done = false;
    this._changed = () => {};
  }

  connect(port, path, changed) {
    this._changed = changed;
    this.socket = new net.Socket();
    if (this._stalled) this.socket.pause();
    this.socket.on('connect', () => {
      this.socket.write(
        `GET ${path} HTTP/1.1\r\nHost: localhost\r\nAccept: text/event-stream\r\n\r\n`,
      );
      if (!this._stalled) return;
      this.opened = true; // it will not see more than that
      changed();
    });
    this.socket.on('data', (bytes) => this._feed(bytes));
    if (this._stalled) this.socket.pause();
    this.socket.on('end', () => this._end(this._done ? 'whole' : 'cut'));
    this.socket.on('error', (err) => this._end(err.code));
    this.socket.on('close', () => this._end('cut'));
    this.socket.connect(port, '127.0.0.1');
  }

  resume() {
    this.socket.resume();
  }

  get hash() {
    return this._hash?.copy().digest('hex');
  }

  _end(how) {
    if (this.ended !== null) return;
    this.ended = how;
    this._changed();
  }

  _feed(bytes) {
    let all = this._rest === null ? bytes : Buffer.concat([this._rest, bytes]);
    this._rest = null;
    if (this._head === undefined) {
      const end = all.indexOf('\r\n\r\n');
      if (end < 0) {
        this._rest = all;
        return;
      }
      this._head = all.latin1Slice(0, end);
      if (
        !/^HTTP\/1\.1 200 /.test(this._head) ||
        !/\r\ntransfer-encoding: chunked/i.test(this._head)
      ) {
        this._end(this._head.slice(0, 30));
        return;
      }
      all = all.subarray(end + 4);
    }
    this._chunks(all);
    if (this.bytes > 0) this.opened = true;
    this._changed();
  }

  _chunks(all) {
    let at = 0;
    for (;;) {
      const lineEnd = all.indexOf(LF, at);
      if (lineEnd < 0) break;
      const size = Number.parseInt(all.latin1Slice(at, lineEnd), 16);
      const from = lineEnd + 1;
      if (!(size >= 0)) throw new Error(`not a chunk: ${all.latin1Slice(at, at + 20)}`);
      if (all.length < from + size + 2) break;
      if (size > 0) this._frame(all.subarray(from, from + size));
      else this._done = true;
      at = from + size + 2;
    }
    if (at < all.length) this._rest = all.subarray(at);
  }

  _frame(frame) {
    this.bytes += frame.length;
    const event = frame[0] === I ? this._withoutId(frame) : frame;
    if (!event.subarray(0, FRAME.length).equals(FRAME)) return; // a comment, a retry line, or an id on its own
    if (event !== frame) this.ids++;
    this._hash?.update(event);
    if (!this._isExpected(event)) this.wrong++;
    this.events++;
  }

  _withoutId(frame) {
    const found = ID.exec(frame.subarray(0, ID_LINE_MAX).latin1Slice());
    if (found === null || Number(found[1]) <= this._lastId) {
      this.wrong++;
      return frame;
    }
    this._lastId = Number(found[1]);
    return frame.subarray(found[0].length);
  }

  _isExpected(frame) {
    let at = FRAME.length;
    let number = 0;
    while (frame[at] >= ZERO && frame[at] < ZERO + 10) number = number * 10 + frame[at++] - ZERO;
    if (number !== this.events) return false;
    if (this._filling === null) return true;
    if (frame[at++] !== SPACE) return false;
    const left = frame.length - at - 2;
    const told = at - FRAME.length;
    if (told + left !== this._filling.length || frame[frame.length - 1] !== LF) return false;
    return this._filling.compare(frame, at, frame.length - 2, 0, left) === 0;
  }
}

/** Readers of one kind, on one path. */
class Group {
  /** @param {{port: number, path?: string, count?: number, stalled?: boolean, size?: number, hash?: boolean}} how */
  constructor({ port, path = '/', count = 1, ...how }) {
    this._port = port;
    this._path = path;
    this._waiters = [];
    this._looking = false;
    this._started = 0;
    this.readers = Array.from({ length: count }, () => new Reader(how));
  }

  /** Resolves when the stream of each is open, so that its first bytes are there. */
  async open() {
    this._startSome();
    await this._when(() => {
      this._startSome();
      return this.readers.every((reader) => reader.opened || reader.ended !== null);
    });
    return this.report();
  }

  _startSome() {
    const opening = this.readers
      .slice(0, this._started)
      .filter((r) => !r.opened && r.ended === null);
    let free = OPENING - opening.length;
    while (free-- > 0 && this._started < this.readers.length) {
      this.readers[this._started++].connect(this._port, this._path, () => this._look());
    }
  }

  /** Resolves when each has got that many events, or has ended. */
  until(events) {
    return this._when(() => this.readers.every((r) => r.events >= events || r.ended !== null));
  }

  /** Resolves when all have ended. */
  ended() {
    return this._when(() => this.readers.every((r) => r.ended !== null));
  }

  resume() {
    for (const reader of this.readers) reader.resume();
    return this.report();
  }

  close() {
    for (const reader of this.readers) reader.socket?.destroy();
  }

  report() {
    const counts = this.readers.map((reader) => reader.events);
    const ends = {};
    for (const { ended } of this.readers) if (ended !== null) ends[ended] = (ends[ended] ?? 0) + 1;
    return {
      fewest: Math.min(...counts),
      most: Math.max(...counts),
      total: counts.reduce((sum, count) => sum + count, 0),
      ids: this.readers.reduce((sum, reader) => sum + reader.ids, 0),
      wrong: this.readers.reduce((sum, reader) => sum + reader.wrong, 0),
      bytes: this.readers.reduce((sum, reader) => sum + reader.bytes, 0),
      hashes: this.readers.map((reader) => reader.hash),
      ends,
    };
  }

  _when(holds) {
    if (holds()) return Promise.resolve(this.report());
    return new Promise((resolve) => {
      this._waiters.push({ holds, resolve });
      this._look();
    });
  }

  /** Looked at once for all that one pass of the event loop brings. */
  _look() {
    if (this._looking || this._waiters.length === 0) return;
    this._looking = true;
    setImmediate(() => {
      this._looking = false;
      const waiters = this._waiters.splice(0);
      for (const waiter of waiters) {
        if (waiter.holds()) waiter.resolve(this.report());
        else this._waiters.push(waiter);
      }
    });
  }
}

module.exports = { Group, textOf };
