'use strict';

// A server that says nothing is not there: connections may hang for minutes.

const errors = require('../errors');

const LOOK = 500; // ms between two looks of a Vigil

const silent = (ms) => errors.adapter(`Redis did not answer within ${ms} ms`);

/**
 * What `promise` resolves to, unless that takes longer; then it goes on unheard.
 * @param {Promise<any>} promise
 * @param {number} ms
 */
function within(promise, ms) {
  let timer;
  const late = new Promise((_resolve, reject) => {
    timer = setTimeout(() => reject(silent(ms)), ms);
    timer.unref();
  });
  promise.catch(() => {}); // when it is late, and fails after all
  return Promise.race([promise, late]).finally(() => clearTimeout(timer));
}

/** The same for calls that follow each other without end: one timer for all of them. */
class Vigil {
  /** @param {number} ms and up to LOOK less */
  constructor(ms) {
    this._ms = ms;
    this._since = 0;
    this._reject = null; // of the call that came last, answered or not
    this._timer = setInterval(() => this._look(), LOOK);
    this._timer.unref();
  }

  /** What `promise` resolves to. The call before it has been answered. */
  over(promise) {
    this._since = performance.now();
    return new Promise((resolve, reject) => {
      this._reject = reject;
      promise.then(resolve, reject);
    });
  }

  _look() {
    if (performance.now() - this._since > this._ms - LOOK) this._reject?.(silent(this._ms));
  }

  end() {
    clearInterval(this._timer);
  }
}

module.exports = { Vigil, within };
