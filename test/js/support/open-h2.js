'use strict';

// The reader of open.js over HTTP/2.

const http2 = require('node:http2');
const { once } = require('node:events');
const { Stream } = require('./open');

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
 * @returns {Promise<Stream>} once the headers are there
 */
async function open2(url, { method = 'GET', headers = {}, body, lastEventId, agent, abort } = {}) {
  const session = agent || (await connect2(url));
  const { pathname } = new URL(url);
  const own = { ':path': pathname, ':method': method, accept: 'text/event-stream', ...headers };
  if (lastEventId !== undefined) own['last-event-id'] = lastEventId;
  const req = session.request(own, { endStream: body === undefined, signal: abort });
  const stream = new Stream(req);
  const over = (how) => stream._over(req.rstCode ? `rst ${req.rstCode}` : how);
  stream._read(req);
  req.on('end', () => over('end'));
  req.on('close', () => {
    over('close');
    if (!agent) session.destroy();
  });
  if (body !== undefined) req.end(body);
  return new Promise((resolve, reject) => {
    req.on('error', reject);
    req.on('response', ({ ':status': status, ...rest }) => {
      stream.status = status;
      stream.headers = rest;
      resolve(stream);
    });
  });
}

module.exports = { connect2, open2 };
