'use strict';

// What the application writes to a response that is a stream of ours: it becomes private events of the client, whole blocks
// only, so that nothing of ours can come in the middle of one.

const errors = require('./errors');
const { Gatherer, joined, toBytes } = require('./gather');

class OwnWrites {
  /** @param {object} client whose response it is */
  constructor(client) {
    this.client = client;
  }

  write(res, chunk, encoding, callback) {
    if (typeof encoding === 'function') return this.write(res, chunk, undefined, encoding);
    const bytes = toBytes(chunk, encoding);
    const { client } = this;
    if (client._closing !== null) {
      if (callback) process.nextTick(callback, errors.writeAfterEnd());
      return false;
    }
    this.gatherer ??= new Gatherer(client._hub._options.history !== null);
    const blocks = this.gatherer.push(bytes);
    const { eventBytes } = client._hub._options.limits;
    const longest = blocks.reduce((most, { length }) => Math.max(most, length), this.gatherer.size);
    if (longest > eventBytes) {
      this.gatherer.take();
      throw errors.tooLarge(longest, eventBytes);
    }
    for (const text of joined(blocks, eventBytes)) client._sendText(text);
    if (callback) process.nextTick(callback);
    this.waiting = client._hasRoom() ? null : res;
    return this.waiting === null;
  }

  end(res, chunk, encoding, callback) {
    if (typeof chunk === 'function') return this.end(res, undefined, undefined, chunk);
    if (typeof encoding === 'function') return this.end(res, chunk, undefined, encoding);
    if (chunk !== undefined && chunk !== null) this.write(res, chunk, encoding);
    if (callback) this._onFinish(callback);
    this.ended = true;
    this.client._beginClose('server');
  }

  /** The stream is about to end: text without its blank line goes as it is. False: the hub has no room for it. */
  flushText() {
    const rest = this.gatherer?.take();
    if (!rest) return true;
    try {
      this.client._sendText(rest);
      return true;
    } catch (err) {
      if (err.code !== 'ERR_FAN_FULL') throw err;
      return false;
    }
  }

  /** The client's queue is short again. */
  drained() {
    const res = this.waiting;
    if (res === null) return;
    this.waiting = null;
    this._emitDrain(res);
  }

  _emitDrain(res) {
    res.emit('drain');
  }
}

/** Until something is written. */
Object.assign(OwnWrites.prototype, {
  gatherer: null,
  waiting: null, // the response, while it owes its writer a `drain`
  ended: false, // by the application's end()
});

module.exports = { OwnWrites };
