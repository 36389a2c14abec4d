'use strict';

// The JavaScript half of the `relay` sink: blocks from the loop are written with the response's own write, and the next is
// taken only when that answered true, or after `drain`. (Never by the write callback, which `compression` drops.)

const { EventEmitter } = require('node:events');
const { native, posted } = require('./loop');
const { anyDescriptor } = require('./socket');

const kRelay = Symbol('fanline.relay');

const tuned = new WeakMap(); // socket → how many relays want its options

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
    this._timer = null; // runs while Node takes no more
    this._socket = takeover.socket ?? takeover.res.stream?.session?.socket;
    this._onDrain = () => this._drained();
    this._on = takeover.res.on; // as we found it
    takeover.res.on('drain', this._onDrain);
    if (Object.hasOwn(takeover.res, 'on')) {
      takeover.res[kRelay] = this;
      takeover.res.on = shadowOn;
    }
    this._tune();
  }

  /** Kernel buffers must not hide a slow reader. Connections may carry several streams. */
  _tune() {
    const { stallTimeout } = this._takeover.client._hub._options.limits;
    const socket = this._takeover.socket ?? this._takeover.res.socket;
    const fd = anyDescriptor(socket);
    if (fd < 0) return;
    const users = tuned.get(this._socket) ?? 0;
    tuned.set(this._socket, users + 1);
    if (users === 0) native.tune(fd, stallTimeout ? stallTimeout + 5_000 : 0);
  }

  _untune() {
    const users = tuned.get(this._socket);
    if (users === undefined) return;
    tuned.set(this._socket, users - 1);
    if (users > 1) return;
    tuned.delete(this._socket);
    const fd = anyDescriptor(this._takeover.socket ?? this._takeover.res.socket);
    if (fd >= 0) native.untune(fd);
  }

  /** A block from the loop. */
  take(bytes) {
    if (this._waiting) this._blocks.push(bytes);
    else this._pass(bytes);
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
    if (more === false && !last) this._wait();
    else this._credit();
  }

  /** Until `drain`. What is in Node's hands the loop cannot see, so its stalled readers are found here. */
  _wait() {
    this._waiting = true;
    const { stallTimeout } = this._takeover.client._hub._options.limits;
    if (stallTimeout) this._watchStall(this._left(), stallTimeout);
  }

  /** Bytes that Node has not yet passed to the kernel. */
  _left() {
    const { res } = this._takeover;
    return res.stream?.writableLength ?? res.writableLength;
  }

  _watchStall(before, stallTimeout) {
    this._timer = setTimeout(() => {
      const left = this._left();
      if (left !== before) this._watchStall(left, stallTimeout);
      else this._takeover.fail('stalled');
    }, stallTimeout);
    this._timer.unref();
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
    clearTimeout(this._timer);
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
    clearTimeout(this._timer);
    this._takeover.res.removeListener('drain', this._onDrain);
    this._untune();
  }
}

module.exports = { Relay };
