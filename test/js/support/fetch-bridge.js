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

async function passOn(response, res) {
  if (res.socket) native.tune(res.socket._handle.fd, 0); // the kernel keeps little for a peer that does not read
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

/** Has hub.connect() and hub.handler() go through hub.response(), for tests written for Node's requests. */
function bridge(hub) {
  hub.connect = (req, res, opts) => {
    const before = hub.stats().refused;
    let client;
    const response = hub.response(requestOf(req, res), opts, (opened) => {
      client = opened;
    });
    passOn(response, res);
    return client ?? refusedClient(before, hub.stats().refused);
  };
  hub.handler = (decide, opened) => (req, res, next) => {
    const own = typeof decide === 'function' ? async () => decide(req) : async () => decide;
    hub.response(requestOf(req, res), own, opened).then((response) => passOn(response, res), next);
  };
}

module.exports = { bridge, passOn, requestOf };
