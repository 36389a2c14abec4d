'use strict';

// A hub of a worker: its socket to the primary. It keeps the process only while an answer is awaited.

const net = require('node:net');
const errors = require('../errors');
const { idOf } = require('../distribution/ids');
const { FrameReader, KIND, PROTOCOL, f64, frame, jsonFrame, u32 } = require('./frames');
const { entryOf, eventsFrom, split } = require('./frames');

const AGAIN_MIN = 20; // ms; doubles
const AGAIN_MAX = 1_000;
const PARTING = 500; // ms

class WorkerLink {
  /**
   * @param {{path: string, token: string}} door of the primary
   * @param {{prefix: string, maxLen: number, maxBytes: number}} options
   * @param {object} host of the hub
   */
  constructor(door, options, host) {
    this._door = door;
    this._options = options;
    this._host = host;
    this._socket = null;
    this._isOpen = false; // the primary has answered
    this._waiting = []; // frames, until it has
    this._asked = new Map(); // number → { resolve, reject }
    this._last = 0;
    this._reading = Promise.resolve(); // a page at a time
    this._users = new Map();
    this._seen = null; // id of the last event that was taken
    this._inbox = []; // functions: what the hub is told, one behind the other
    this._isBusy = false;
    this._isClosed = false;
    this._made = Date.now(); // what comes from here on is for this hub, however long the primary takes
    this._delay = AGAIN_MIN;
    this._timer = null;
    this._connect();
  }

  // ---- the socket ----

  _connect() {
    const socket = net.connect(this._door.path);
    this._socket = socket;
    this._inbox = [];
    let why;
    const reader = new FrameReader((kind, body) => this._take(socket, kind, body));
    socket.unref();
    socket.on('data', (chunk) => reader.push(chunk));
    socket.on('error', (err) => {
      why = err;
    });
    socket.on('close', () => this._ended(why));
    const { maxBytes, maxLen, prefix } = this._options;
    const { process } = this._host;
    const { token } = this._door;
    const place = { after: this._seen, since: this._made };
    const hello = { protocol: PROTOCOL, token, process, prefix, ...place };
    socket.write(jsonFrame(KIND.HELLO, { ...hello, maxLen, maxBytes }));
  }

  _ended(cause) {
    this._isOpen = false;
    this._waiting = [];
    const error = errors.adapter('The connection to the primary has ended', cause);
    for (const { reject } of this._asked.values()) reject(error);
    this._asked.clear();
    if (this._isClosed) return;
    this._host.state('down', error);
    this._timer = setTimeout(() => this._connect(), this._delay).unref();
    this._delay = Math.min(AGAIN_MAX, this._delay * 2);
  }

  _take(socket, kind, body) {
    if (socket !== this._socket || socket.destroyed) return;
    switch (kind) {
      case KIND.STARTED:
        this._started(body.readDoubleLE(0));
        break;
      case KIND.EVENTS:
        this._later(socket, () => this._received(socket, body));
        break;
      case KIND.LOST:
        this._later(socket, () => this._lost(body.readDoubleLE(0)));
        break;
      case KIND.DONE:
        this._done(JSON.parse(body));
        break;
      case KIND.PAGE:
        this._settle(body.readUInt32LE(0)).resolve({
          isWhole: body[4] === 1,
          entries: split(body.subarray(5)).map(entryOf),
        });
        break;
      case KIND.ANSWERED:
        if (!this._isClosed) this._host.answered(String(body));
        break;
      case KIND.REFUSED:
        this._refused(String(body));
    }
  }

  // ---- what comes ----

  _started(seq) {
    this._isOpen = true;
    this._delay = AGAIN_MIN;
    for (const one of this._waiting) this._socket.write(one);
    this._waiting = [];
    if (this._isClosed) return;
    if (this._seen === null) {
      this._seen = idOf(seq);
      this._host.started(this._seen);
    }
    // A connection that was cut has taken them with it.
    for (const [user, clients] of this._users) this._ask('admit', user, clients, 0).catch(() => {}); // the next one tells them
    this._host.state('ready');
  }

  /** One thing at a time: what comes next waits until the hub has taken what came before. */
  async _later(socket, action) {
    this._inbox.push(action);
    if (this._isBusy) return;
    this._isBusy = true;
    while (this._inbox.length > 0 && !this._isClosed) await this._inbox.shift()();
    this._isBusy = false;
  }

  async _received(socket, body) {
    const entries = split(body).map(entryOf);
    this._seen = entries.at(-1).id;
    await this._host.received(entries);
    if (socket === this._socket && !socket.destroyed)
      socket.write(frame(KIND.TAKEN, u32(body.length)));
  }

  _lost(seq) {
    this._seen = idOf(seq);
    return this._host.lost(this._seen);
  }

  /** Another attempt would end in the same way, until somebody does something. */
  _refused(why) {
    const error = errors.adapter(why);
    error.isFinal = true;
    this._delay = AGAIN_MAX;
    if (!this._isClosed) this._host.state('down', error);
  }

  // ---- what is asked ----

  /**
   * @param {(n: number) => Buffer} make a frame with that number
   */
  _request(make) {
    return new Promise((resolve, reject) => {
      if (this._socket.destroyed) {
        reject(errors.adapter('There is no connection to the primary'));
        return;
      }
      const n = ++this._last;
      this._asked.set(n, { resolve, reject });
      this._socket.ref();
      if (this._isOpen) this._socket.write(make(n));
      else this._waiting.push(make(n));
    });
  }

  _settle(n) {
    const request = this._asked.get(n);
    this._asked.delete(n);
    if (this._asked.size === 0) this._socket.unref();
    return request;
  }

  _done({ n, value, error }) {
    const { resolve, reject } = this._settle(n);
    if (error === undefined) resolve(value);
    else reject(errors.adapter(error));
  }

  _ask(verb, ...args) {
    return this._request((n) => jsonFrame(KIND.ASK, { n, verb, args }));
  }

  publish(first, sends) {
    return this._request((n) => frame(KIND.PUBLISH, u32(n), f64(first), eventsFrom(first, sends)));
  }

  read(after, count) {
    const page = this._reading.then(() => this._ask('read', after, count));
    this._reading = page.catch(() => {});
    return page;
  }

  processes() {
    return this._ask('processes');
  }

  answer(process, text) {
    return this._ask('answer', process, text);
  }

  admit(user, clients, limit) {
    if (clients === 0) this._users.delete(user);
    else this._users.set(user, clients);
    return this._ask('admit', user, clients, limit);
  }

  async close() {
    if (this._isClosed) return;
    this._isClosed = true;
    clearTimeout(this._timer);
    const socket = this._socket;
    if (socket.destroyed) return;
    const late = new Promise((resolve) => {
      this._timer = setTimeout(resolve, PARTING).unref();
    });
    await Promise.race([this._ask('bye').catch(() => {}), late]);
    clearTimeout(this._timer);
    if (socket.closed) return;
    const closed = new Promise((resolve) => {
      socket.once('close', resolve);
    });
    socket.destroy();
    await closed;
  }
}

module.exports = { WorkerLink };
