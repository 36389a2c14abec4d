'use strict';

// How many events are asked for at a time: many where they are small, few where they are large, so that a page stays bounded.

const COUNT_MIN = 16;
const COUNT_MAX = 1_024;

class Paging {
  /** @param {number} most bytes that a page should have */
  constructor(most) {
    this.count = COUNT_MIN;
    this._most = most;
  }

  /** @param {{head: string, data: Uint8Array}[]} entries of the last page */
  measure(entries) {
    const bytes = entries.reduce((sum, { head, data }) => sum + head.length + data.length, 0);
    if (bytes > this._most) this.count = Math.max(1, this.count >> 1);
    else if (bytes < this._most / 4 && entries.length === this.count) {
      this.count = Math.min(COUNT_MAX, this.count * 2);
    }
  }
}

module.exports = { Paging };
