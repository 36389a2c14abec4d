'use strict';

// The JavaScript half of the `relay` sink: blocks from the loop are written with the response's own write, and the next is
// taken only when that answered true, or after `drain`. (Never by the write callback, which `compression` drops.)

const { EventEmitter } = require('node:events');
const { native, posted } = require('./loop');
const { anyDescriptor } = require('./socket');
const { StallWatch } = require('./stall');

// Bytes in one write: what Node takes before it says that it is enough, so that a slow reader's progress is seen.
const SLICE = 16 * 1024;

const kRelay = Symbol('fanline.relay');

const tuned = new WeakMap(); // connection → how many relays want its options

/**
 * A middleware that turns `drain` listeners over to a stream of its own (`compression`) must not do so with the application's: the
 * application writes to the client, and `drain` is ours to tell.
 */
function shadowOn(type, listener) {
  const relay = this[kRelay];
  if (relay._stopped || type !== 'drain') return relay._on.call(this, type, listener);
  return EventEmitter.prototype.on.call(this, type, listener);
}

class Relay {
  /** @param {object} takeover of a response whose headers are out */
  constructor(takeover) {
    this._takeover = takeover;
    this._waiting = false;
    this._owed = 0; // bytes written for which no credit was given back yet
    this._blocks = [];
    this._emitting = false;
    this._stopped = false;
    this._session = takeover.session ?? null; // HTTP/2: its streams share a socket
    this._socket = takeover.socket ?? this._session?.socket;
    this._connection = this._session ?? this._socket;
    const { stallTimeout } = takeover.client._hub._options.limits;
    this._watch = new StallWatch(
      () => takeover.unsent(),
      stallTimeout,
      () => takeover.evict('stalled'),
    );
    this._onDrain = () => this._drained();
    this._on = takeover.res.on; // as we found it
    takeover.res.on('drain', this._onDrain);
    if (Object.hasOwn(takeover.res, 'on')) {
      takeover.res[kRelay] = this;
      takeover.res.on = shadowOn;
    }
    this._tune();
  }

  /** The connection's descriptor, for options; -1 once it is gone. */
  _descriptor() {
    return this._session?.destroyed ? -1 : anyDescriptor(this._socket);
  }

  /** Kernel buffers must not hide a slow reader. Connections may carry several streams. */
  _tune() {
    const { stallTimeout } = this._takeover.client._hub._options.limits;
    const fd = this._descriptor();
    if (fd < 0) return;
    const users = tuned.get(this._connection) ?? 0;
    tuned.set(this._connection, users + 1);
    if (users === 0) native.tune(fd, stallTimeout ? stallTimeout + 5_000 : 0);
  }

  _untune() {
    const users = tuned.get(this._connection);
    if (users === undefined) return;
    tuned.set(this._connection, users - 1);
    if (users > 1) return;
    tuned.delete(this._connection);
    const fd = this._descriptor();
    if (fd >= 0) native.untune(fd);
  }

  /** A block from the loop. */
  take(bytes) {
    if (this._stopped) return; // it was on its way when the stream was cut
    for (let at = 0; at < bytes.length; at += SLICE) {
      const slice = bytes.length > SLICE ? bytes.subarray(at, at + SLICE) : bytes;
      if (this._waiting) this._blocks.push(slice);
      else this._pass(slice);
    }
  }

  /** The stream ends in order: what is here goes to Node, which queues it. */
  passAll() {
    this._waiting = false;
    while (this._blocks.length > 0) this._pass(this._blocks.shift(), true);
  }

  _pass(bytes, last = false) {
    const { found, res } = this._takeover;
    // Ended through a function kept from before connect(), which passes by us here: nothing may follow, `finish` tells the rest.
    if (res.writableEnded) return;
    const more = found.write.call(res, bytes);
    if (typeof found.flush === 'function') found.flush.call(res);
    this._owed += bytes.length;
    if (more === false && !last) {
      this._waiting = true;
      this._watch.start(); // what is in Node's hands the loop cannot see
    } else {
      this._credit();
    }
  }

  _credit() {
    const { client } = this._takeover;
    const bytes = this._owed;
    this._owed = 0;
    client._hub._native.credit(client._number, bytes);
    posted();
  }

  _drained() {
    if (this._emitting || this._stopped || !this._waiting) return;
    this._waiting = false;
    this._watch.stop();
    this._credit();
    while (!this._waiting && this._blocks.length > 0) this._pass(this._blocks.shift());
  }

  /** Tells the application, not ourselves. */
  emitDrain() {
    this._emitting = true;
    try {
      this._takeover.res.emit('drain');
    } finally {
      this._emitting = false;
    }
  }

  stop() {
    this._stopped = true;
    this._watch.stop();
    this._takeover.res.removeListener('drain', this._onDrain);
    this._untune();
  }
}

module.exports = { Relay };
