'use strict';

// A reader that is cut off at random bytes, comes back with the last id it got, and knows from the plan what it must get: every kept
// event from its first cursor on, once and in order; on one connection also what is not kept, in its place.

const net = require('node:net');
const { RawStream } = require('./event-parser');

const ERRORS_MAX = 3;
const HEAD_BYTES = 600; // of a connection: more than head and opening lines have

class Wanderer {
  /**
   * @param {import('./resume-plan').Plan} plan
   * @param {{number: number, port: number, cutBytes: number, awayMs: number, pauseMs?: number}} how it reads about `cutBytes` of a
   *   connection, stays away for up to `awayMs`, now and then ten times as long, and at times does not read for up to `pauseMs`
   */
  constructor(plan, { number, port, cutBytes, awayMs, pauseMs = 0 }) {
    this.number = number;
    this.place = plan.placeOf(number);
    this.errors = [];
    this.connections = 0;
    this.cuts = { head: 0, block: 0, between: 0 };
    this.kept = []; // steps, over all connections
    this.passing = 0;
    this.own = 0;
    this.first = null; // the step that it must begin with
    this._plan = plan;
    this._port = port;
    this._cutBytes = cutBytes;
    this._awayMs = awayMs;
    this._pauseMs = pauseMs;
    this._lastEventId = '';
    this._roams = true;
    this._at = null;
    this._stream = null;
  }

  /** From now on it is not cut off any more. */
  settle() {
    this._roams = false;
  }

  close() {
    clearTimeout(this._timer);
    this._socket?.destroy();
  }

  /** Has it got all there is for it? One that begins when all is over gets nothing but the opening id. */
  get isThrough() {
    const { firstId } = this._stream?.parser ?? {};
    if (this._at === null && firstId === undefined) return false;
    const at = this._at ?? this._plan.behind(this._seqOf(firstId));
    return this._nextKept(at) === this._plan.steps.length;
  }

  /** The kept events that it must have got in the end. */
  expected() {
    const list = [];
    if (this.first === null) return list;
    for (let i = this._nextKept(this.first); i < this._plan.steps.length; i = this._nextKept(i + 1))
      list.push(i);
    return list;
  }

  connect() {
    this.connections++;
    const isNew = this._lastEventId === '';
    this._at = isNew ? null : this._plan.behind(this._seqOf(this._lastEventId));
    this._from = null; // step from which on what is not kept must be there; null: not known yet
    this._ownNext = 0;
    this._stream = new RawStream((event) => this._take(event));
    this._left = this._cutAfter();
    const socket = net.connect(this._port, '127.0.0.1');
    this._socket = socket;
    const tells = Math.random() < 0.7 ? 'tell' : 'silent';
    const id = isNew ? '' : `Last-Event-ID: ${this._lastEventId}\r\n`;
    socket.write(`GET /${this.number}/${tells} HTTP/1.1\r\nHost: x\r\n${id}\r\n`);
    socket.on('data', (bytes) => this._feed(socket, bytes));
    socket.on('error', (err) => this._wrong(err.code));
    socket.on('close', () => {
      if (socket !== this._socket) return;
      this._wrong('the server has ended it');
      if (this._roams) this._leave();
    });
  }

  _cutAfter() {
    if (Math.random() < 0.15) return Math.floor(Math.random() * HEAD_BYTES);
    return HEAD_BYTES + Math.floor(Math.random() ** 2 * 3 * this._cutBytes);
  }

  /** What lies behind the cut was never received. */
  _feed(socket, bytes) {
    if (socket !== this._socket) return;
    const isCut = this._roams && bytes.length > this._left;
    const read = isCut ? bytes.subarray(0, this._cutAt(bytes)) : bytes;
    this._left -= bytes.length;
    try {
      this._stream.feed(read);
    } catch (err) {
      this._wrong(err.stack);
    }
    if (this._stream.head !== null && !this._stream.head.startsWith('HTTP/1.1 200 '))
      this._wrong(this._stream.head);
    if (!isCut) {
      this._pause(socket);
      return;
    }
    if (Math.random() < 0.5) socket.resetAndDestroy();
    else socket.destroy();
    this._leave();
  }

  _pause(socket) {
    if (this._pauseMs === 0 || Math.random() < 0.95) return;
    socket.pause();
    setTimeout(() => socket.resume(), Math.random() * this._pauseMs);
  }

  /** Chance would hardly ever find the end of an event. */
  _cutAt(bytes) {
    const end = Math.random() < 0.2 ? bytes.indexOf('\n\n', this._left) : -1;
    return end < 0 ? this._left : end + 2;
  }

  _leave() {
    this._socket = null;
    const { head, parser } = this._stream;
    if (head === null) this.cuts.head++;
    else if (parser.isAmidBlock) this.cuts.block++;
    else this.cuts.between++;
    this._lastEventId = parser.lastEventId || this._lastEventId;
    const isLong = Math.random() < 0.1;
    const awayMs = Math.random() * this._awayMs * (isLong ? 10 : 1);
    this._timer = setTimeout(() => this.connect(), awayMs);
  }

  // ---- what it gets ----

  _take({ id, event, data }) {
    if (this._at === null) this._begin();
    if (event === 'own') this._takeOwn(id, data);
    else if (event === 'kept' || event === 'passing') this._takeStep(id, event, data);
    else this._wrong(`${event}: ${data}`);
  }

  /** A client without a cursor gets one, in front of the first event. */
  _begin() {
    this._at = this._plan.behind(this._seqOf(this._stream.parser.firstId));
    this.first ??= this._at;
  }

  /** Sent to it alone, when so many steps had been sent. */
  _takeOwn(id, data) {
    const [number, steps] = data.split(' ').map(Number);
    this.own++;
    if (id !== undefined && id !== this._stream.parser.firstId)
      this._wrong(`own ${data} has an id`);
    if (number !== this._ownNext++) this._wrong(`own ${data}, not ${this._ownNext - 1}`);
    if (number === 0) this._from = steps; // sent by the same stretch of code as connect()
    this._passOver(steps, `own ${data}`);
  }

  _takeStep(id, event, data) {
    const i = Number.parseInt(data, 10);
    const step = this._plan.steps[i];
    if (data !== this._plan.dataOf(i) || step.isKept !== (event === 'kept'))
      this._wrong(`not as sent: ${event} ${data.slice(0, 40)}`);
    if (!this._plan.isFor(i, this.place)) this._wrong(`${i} is for others`);
    if (i < this._at) this._wrong(`${i} again, or out of order: at ${this._at}`);
    this._passOver(i, i);
    this._at = i + 1;
    if (step.isKept) {
      if (this._seqOf(id) !== step.seq) this._wrong(`${i} has the id ${id}`);
      this.kept.push(i);
      return;
    }
    this.passing++;
    if (this._from === null) this._from = i;
    if (i < this._from) this._wrong(`${i} was sent before it came, and not kept`);
  }

  /** It is at step `to` now: what was for it before that must have come. */
  _passOver(to, what) {
    for (let i = this._at; i < to; i++) {
      const mustBe = this._plan.steps[i].isKept || (this._from !== null && i >= this._from);
      if (mustBe && this._plan.isFor(i, this.place)) this._wrong(`${i} is missing before ${what}`);
    }
    this._at = Math.max(this._at, to);
  }

  _nextKept(from) {
    let i = from;
    const { steps } = this._plan;
    while (i < steps.length && !(steps[i].isKept && this._plan.isFor(i, this.place))) i++;
    return i;
  }

  _seqOf(id) {
    const found = /^([a-z][a-z0-9]{7})-(\d+)$/.exec(id);
    if (found === null) this._wrong(`not an id: ${id}`);
    return found === null ? 0 : Number(found[2]);
  }

  _wrong(what) {
    if (this.errors.length < ERRORS_MAX)
      this.errors.push(`client ${this.number}, connection ${this.connections}: ${what}`);
  }
}

module.exports = { Wanderer };
