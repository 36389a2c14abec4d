'use strict';

// hub.close(): everybody is told when to come back, queues drain, and streams end spread over the grace period, so that
// neither this process nor the next one meets a storm. What has not ended when it is over is cut.

const { flushBatches } = require('./batch');
const { flush } = require('./loop');
const { RETRY } = require('./stream-options');

const SPREAD = 0.8; // of the grace: the rest is for the last ones to drain
const LEAST = 100; // ms: also without grace, readers that are well get what is queued
const STEP = 20; // ms between two looks at whose turn it is

class Shutdown {
  constructor(hub) {
    this._hub = hub;
    this._ended = 0;
    this._cut = 0;
    this._cutting = false;
    this._timer = null;
    this._open = new Set(); // clients that were there when it began, and are not yet gone
    this.done = new Promise((resolve) => {
      this._resolve = resolve;
    });
  }

  /**
   * Call once the hub knows of this shutdown: clients may end in here, and their listeners may ask the hub anything.
   * @param {number} grace ms
   */
  begin(grace) {
    flushBatches(this._hub);
    this._open = new Set(this._hub.clients.values());
    const waiting = [...this._open];
    for (const client of waiting) this._announce(client);
    const traffic = this._hub._traffic;
    if (traffic === null || waiting.length === 0) this._close(waiting, grace);
    else {
      // What was sent before comes first; meanwhile all may have left.
      traffic.settled(Math.max(LEAST, grace / 10)).then(() => {
        if (this._open.size > 0) this._close(waiting, grace);
      });
    }
  }

  /** A time of its own for each, to come back after. */
  _announce(client) {
    client._endsConnection = true;
    const range = this._hub._options.retry;
    if (range === null || client._closing !== null) return;
    const { min, max } = range ?? RETRY;
    client._greet(Math.round(min + Math.random() * (max - min)));
  }

  _close(waiting, grace) {
    if (waiting.length === 0) {
      this._finish();
      return;
    }
    const start = performance.now();
    const span = grace * SPREAD;
    let next = 0;
    const step = () => {
      const elapsed = performance.now() - start;
      const due = span === 0 ? waiting.length : Math.ceil((waiting.length * elapsed) / span);
      while (next < Math.min(due, waiting.length)) waiting[next++]._beginClose('shutdown');
      if (elapsed >= Math.max(grace, LEAST)) this._cutRest();
    };
    this._timer = setInterval(step, Math.min(STEP, Math.max(1, grace / 10)));
    step();
  }

  /** Time is up; looked at again until the last one has gone. */
  _cutRest() {
    this._cutting = true;
    for (const client of [...this._hub.clients.values()]) {
      client._beginClose('shutdown');
      client._takeover.evict('shutdown');
    }
  }

  /** A client of the hub has ended. One whose end is just being told may be what this shutdown began with: it does not count. */
  left(client) {
    if (!this._open.delete(client)) return;
    if (this._cutting) this._cut++;
    else this._ended++;
    if (this._open.size === 0) this._finish();
  }

  _finish() {
    clearInterval(this._timer);
    flush();
    this._hub._end(() => this._resolve({ ended: this._ended, cut: this._cut }));
  }
}

module.exports = { Shutdown };
