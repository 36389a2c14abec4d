'use strict';

// The reader of open.js over HTTP/2.

const http2 = require('node:http2');
const { once } = require('node:events');
const { open } = require('./open');

/** @returns {Promise<object>} a connection for open2(); the certificate is not checked */
async function connect2(url) {
  const session = http2.connect(url, { rejectUnauthorized: false });
  session.on('error', () => {}); // streams tell
  await once(session, 'connect');
  return session;
}

/**
 * @param {string} url https
 * @param {object} [options] as open(); `agent`: a connection from connect2(), else the stream has one of its own
 * @returns {Promise<TestStream>} once the headers are there
 */
function open2(url, options) {
  return open(url, { ...options, http2: true });
}

module.exports = { connect2, open2 };
