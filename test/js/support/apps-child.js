'use strict';

// An app in a process of its own, driven by requests:   node apps-child.js <framework>
// Prints its port. /stream: a client; /plain: the same bytes without us; the rest are orders, answered with JSON.

const fs = require('node:fs');
const http = require('node:http');
const { createHub } = require('fanline');
const { FRAMEWORKS } = require('./apps');

const hub = createHub({ retry: false, heartbeat: false, history: false });
const held = [];

/** Opens files until there is no descriptor left. */
function exhaust() {
  try {
    for (;;) held.push(fs.openSync('/dev/null'));
  } catch (err) {
    return { code: err.code };
  }
}

const ORDERS = {
  '/exhaust': exhaust,
  '/release'() {
    for (const fd of held.splice(0)) fs.closeSync(fd);
    return {};
  },
  '/stats': () => ({
    relay: hub.stats().relay,
    transports: [...hub.clients.values()].map(({ transport }) => transport),
  }),
  '/broadcast': () => hub.broadcast('x'.repeat(20_000)),
  '/end'() {
    for (const client of hub.clients.values()) client.close();
    return {};
  },
  '/quit'() {
    setImmediate(() => process.exit(0));
    return {};
  },
};

function listener(req, res) {
  if (req.url === '/stream') {
    hub.connect(req, res);
  } else if (req.url === '/plain') {
    res.writeHead(200, { 'Content-Type': 'text/event-stream', 'Cache-Control': 'no-cache' });
    res.flushHeaders();
    res.write(':\n');
  } else {
    const body = JSON.stringify(ORDERS[req.url]());
    res.setHeader('Content-Length', body.length);
    res.end(body);
  }
}

const { wrap } = FRAMEWORKS.find(({ name }) => name === process.argv[2]);
const server = http.createServer(wrap([], listener, console.error));
server.listen(0, '127.0.0.1', () => console.log(server.address().port));
