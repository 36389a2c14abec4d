'use strict';

// Random choices that a seed repeats.

class Random {
  /** @param {number} seed 32 bits */
  constructor(seed) {
    this.seed = seed >>> 0;
    this._state = this.seed;
  }

  /** A number from 0 up to, not including, 1 (the generator is mulberry32). */
  next() {
    this._state = (this._state + 0x6d2b79f5) >>> 0;
    let bits = this._state;
    bits = Math.imul(bits ^ (bits >>> 15), bits | 1);
    bits ^= bits + Math.imul(bits ^ (bits >>> 7), bits | 61);
    return ((bits ^ (bits >>> 14)) >>> 0) / 2 ** 32;
  }

  /** An integer from 0 up to, not including, `limit`. */
  below(limit) {
    return Math.floor(this.next() * limit);
  }

  chance(probability) {
    return this.next() < probability;
  }

  /** One of them; undefined: there is none. */
  pick(list) {
    return list[this.below(list.length)];
  }

  /** Each with this probability. */
  some(list, probability) {
    return list.filter(() => this.chance(probability));
  }

  /** A key of the object, whose values are weights. */
  weighted(weights) {
    const names = Object.keys(weights);
    let left = this.below(names.reduce((sum, name) => sum + weights[name], 0));
    for (const name of names) {
      left -= weights[name];
      if (left < 0) return name;
    }
    return names[0];
  }

  /** Another source, whose choices do not depend on when it is asked. */
  fork() {
    return new Random(this.below(2 ** 32));
  }
}

module.exports = { Random };
