'use strict';

// The reader of fanline/testing, as these tests use it: an address in full, and no check of a certificate.

const testing = require('fanline/testing');

/**
 * @param {string} url
 * @param {object} [options] of fanline/testing; `abort`: its `signal`
 * @returns {Promise<TestStream>} once the headers are there
 */
function open(url, { abort, ...options } = {}) {
  return testing.open(url, { signal: abort, method: 'GET', ...options });
}

module.exports = { open };
