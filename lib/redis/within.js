'use strict';

// A server that says nothing is not there: connections may hang for minutes.

const errors = require('../errors');

/**
 * What `promise` resolves to, unless that takes longer; then it goes on unheard.
 * @param {Promise<any>} promise
 * @param {number} ms
 */
function within(promise, ms) {
  let timer;
  const late = new Promise((_resolve, reject) => {
    timer = setTimeout(() => reject(errors.adapter(`Redis did not answer within ${ms} ms`)), ms);
    timer.unref();
  });
  promise.catch(() => {}); // when it is late, and fails after all
  return Promise.race([promise, late]).finally(() => clearTimeout(timer));
}

module.exports = { within };
