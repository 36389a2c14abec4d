'use strict';

// The event `close` of a client, which ends once, and maybe before anybody listens.

const { EventEmitter } = require('node:events');

/**
 * Makes it an EventEmitter, without its constructor: what that keeps is made with the first listener. A `close` listener added after the
 * end is called once, in a microtask.
 * @param {object} prototype of what has `closed` (null or the reason) and `_cause`
 */
function emitsClose(prototype) {
  Object.setPrototypeOf(prototype, EventEmitter.prototype);
  for (const method of ['on', 'addListener', 'prependListener', 'once', 'prependOnceListener']) {
    const add = EventEmitter.prototype[method];
    prototype[method] = function (name, listener) {
      if (name !== 'close' || this.closed === null || typeof listener !== 'function') {
        return add.call(this, name, listener);
      }
      const args = this._cause === undefined ? [this.closed] : [this.closed, this._cause];
      queueMicrotask(() => listener.apply(this, args));
      return this;
    };
  }
}

module.exports = { emitsClose };
