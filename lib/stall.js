'use strict';

// Watches for a peer that takes nothing, where only Node knows what it has taken.

class StallWatch {
  /**
   * @param {() => number} left what has not been taken yet
   * @param {number} timeout ms; 0: never
   * @param {() => void} onStall called when nothing of it was taken for that long
   */
  constructor(left, timeout, onStall) {
    this._left = left;
    this._timeout = timeout;
    this._onStall = onStall;
    this._timer = null;
  }

  start() {
    if (this._timeout === 0) return;
    this.stop();
    const before = this._left();
    this._timer = setTimeout(() => {
      if (this._left() === before) this._onStall();
      else this.start();
    }, this._timeout);
    this._timer.unref();
  }

  stop() {
    clearTimeout(this._timer);
  }
}

module.exports = { StallWatch };
