'use strict';

// A small server of the Fetch API: makes a Request of what Node's http server has, and writes a Response to it, no faster than
// the peer reads.

const { once } = require('node:events');
const { Readable } = require('node:stream');
const native = require('../../../lib/native');

function requestOf(req, res) {
  const abort = new AbortController();
  res.on('close', () => {
    if (!res.writableFinished) abort.abort();
  });
  if (res.destroyed) abort.abort();
  const headers = new Headers();
  for (const [name, value] of Object.entries(req.headers)) headers.set(name, String(value));
  const init = { method: req.method, headers, signal: abort.signal };
  const hasBody = req.method === 'POST' && !req.readableEnded;
  if (hasBody) Object.assign(init, { body: Readable.toWeb(req), duplex: 'half' });
  return new Request(new URL(req.url, 'http://localhost'), init);
}

/** The kernel keeps little for a peer that does not read: else tests would have to send megabytes before one is slow. */
function tuned(res) {
  const fd = res.stream ? -1 : res.socket?._handle?.fd; // over HTTP/2 windows are small anyway
  if (fd >= 0) native.tune(fd, 0);
}

async function passOn(response, res) {
  tuned(res);
  res.writeHead(response.status, Object.fromEntries(response.headers));
  if (response.body === null) {
    res.end();
    return;
  }
  res.flushHeaders();
  const reader = response.body.getReader();
  const closed = once(res, 'close').then(() => reader.cancel());
  closed.catch(() => {}); // an errored stream cannot be cancelled
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (res.destroyed) return;
      if (done) break;
      if (!res.write(value)) await Promise.race([once(res, 'drain'), closed]);
    }
    res.end();
  } catch {
    res.destroy();
  }
}

/** hub.response() gives no client that has never opened: what stats() says of it. */
function refusedClient(before, after) {
  const closed = Object.keys(after).find((reason) => after[reason] !== before[reason]);
  return { closed, send: () => false, signal: AbortSignal.abort() };
}

/**
 * Has hub.connect() and hub.handler() go through hub.response(), for tests written for Node's requests.
 * @param {object} hub
 * @param {{requestOf: (req, res) => Request, passOn: (response: Response, res, req) => void}} [server] where the Fetch API comes
 *   from: a framework, or else the server above
 */
function bridge(hub, server = { requestOf, passOn }) {
  hub.connect = (req, res, opts) => {
    const before = hub.stats().refused;
    let client;
    const response = hub.response(server.requestOf(req, res), opts, (opened) => {
      client = opened;
    });
    server.passOn(response, res, req);
    return client ?? refusedClient(before, hub.stats().refused);
  };
  hub.handler = (decide, opened) => (req, res, next) => {
    const own = typeof decide === 'function' ? async () => decide(req) : async () => decide;
    const later = hub.response(server.requestOf(req, res), own, opened);
    later.then((response) => server.passOn(response, res, req), next);
  };
}

module.exports = { bridge, tuned };
