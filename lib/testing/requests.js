'use strict';

// Three ways to ask: HTTP/1.1, HTTP/2, and a fetch handler called directly. What comes of it is told to the stream
// (stream.js), and nobody else.

const http = require('node:http');
const http2 = require('node:http2');
const https = require('node:https');
const { Readable } = require('node:stream');
const zlib = require('node:zlib');
const { argError } = require('../errors');

const LOOPBACK = /^(localhost|127(\.\d+){3}|\[::1\])$/;
const DECODERS = {
  gzip: zlib.createGunzip,
  deflate: zlib.createInflate,
  br: zlib.createBrotliDecompress,
};

/** The body as it was meant. */
function decoded(body, headers, method) {
  const decode = method === 'HEAD' ? undefined : DECODERS[headers['content-encoding']];
  return decode === undefined ? body : body.pipe(decode());
}

/** A self-signed certificate is what a test has on loopback. */
function tlsFor(url) {
  return { rejectUnauthorized: !LOOPBACK.test(url.hostname) };
}

function request1(stream, url, { method, headers, body, agent = false, signal }) {
  const { request } = url.protocol === 'https:' ? https : http;
  const req = request(url, { method, headers, agent, signal, ...tlsFor(url) });
  stream.req = req;
  stream._abort = () => req.destroy();
  req.on('socket', (socket) => stream._place.watch(stream, socket));
  req.on('error', (err) => stream._broken(err));
  req.on('response', (res) => {
    const read = decoded(res, res.headers, method);
    stream._answered(res.statusCode, res.headers, read);
    read.on('end', () => stream._over('end'));
    res.on('error', (err) => stream._broken(err));
    // What was compressed may have ended in order, and not have been read yet.
    res.on('close', () => !(read !== res && res.complete) && stream._over('close'));
  });
  req.end(body);
}

function request2(stream, url, { method, headers, body, agent, signal }) {
  const session = agent || http2.connect(url.origin, tlsFor(url));
  const end = () => agent || session.destroy();
  if (!agent) {
    session.on('error', (err) => stream._broken(err));
    session.on('connect', () => stream._place.watch(stream, session.socket));
  }
  const own = { ':path': url.pathname + url.search, ':method': method, ...headers };
  const req = session.request(own, { endStream: body === undefined, signal });
  stream.req = req;
  stream._abort = () => {
    req.destroy();
    end();
  };
  const over = (how) => stream._over(req.rstCode ? `rst ${req.rstCode}` : how);
  req.on('error', (err) => stream._broken(err));
  req.on('response', ({ ':status': status, ...rest }) => {
    const read = decoded(req, rest, method);
    stream._answered(status, rest, read);
    read.on('end', () => over('end'));
    if (read !== req) req.on('error', (err) => read.destroy(err));
  });
  req.on('close', () => {
    if (stream.body === null || stream.body === req || req.rstCode) over('close');
    end();
  });
  if (body !== undefined) req.end(body);
}

function isResponse(value) {
  return typeof value?.status === 'number' && typeof value.headers?.entries === 'function';
}

async function answerOf(handle, request) {
  const response = await handle(request);
  if (isResponse(response)) return response;
  throw argError('target.fetch', 'a function that answers a Response', response);
}

function requestFetch(stream, url, { method, headers, body, signal }) {
  const left = new AbortController();
  const both = signal ? AbortSignal.any([signal, left.signal]) : left.signal;
  stream._abort = () => left.abort();
  both.addEventListener('abort', () => {
    stream._cause ??= both.reason;
    stream._over('close');
    stream.body?.destroy();
  });
  const request = new Request(url, { method, headers, body, signal: both });
  answerOf(stream._place.handle, request).then(
    (response) => {
      const read = response.body === null ? null : Readable.fromWeb(response.body);
      stream._answered(response.status, Object.fromEntries(response.headers), read);
      read?.on('end', () => stream._over('end'));
      read?.on('close', () => stream._over('close'));
      if (both.aborted) read?.destroy();
    },
    (err) => stream._fail(err),
  );
}

const WAYS = { http1: request1, http2: request2, fetch: requestFetch };

/** @returns {Function} what asks at a place of reach.js: it has begun to when it returns */
function requestFor({ way }) {
  return WAYS[way];
}

module.exports = { requestFor };
