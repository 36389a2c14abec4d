'use strict';

// Fastify apps with the plugin, and streams of them, all ended with the test.

const Fastify = require('fastify');
const fanline = require('fanline/fastify');
const { open } = require('../../../js/support/open');
const { open2 } = require('../../../js/support/open-h2');

const QUIET = { retry: false, heartbeat: false, history: false };

const apps = [];
const streams = [];

/** An app that ends with the test. */
function make(options) {
  const app = Fastify(options);
  apps.push(app);
  return app;
}

/** One with the plugin and what `define` puts into it, that listens. Its log is in `app.lines`. */
async function listen(define, { plugin, ...options } = {}) {
  const lines = [];
  const stream = { write: (line) => lines.push(JSON.parse(line)) };
  const app = make({ logger: { level: 'warn', stream }, ...options });
  app.lines = lines;
  app.register(fanline, { hub: QUIET, grace: 0, ...plugin });
  define?.(app);
  app.url = await app.listen({ port: 0, host: '127.0.0.1' });
  return app;
}

async function read(url, options) {
  const stream = await (options?.http2 ? open2 : open)(url, options);
  streams.push(stream);
  return stream;
}

/** A route that opens a stream, as most do. */
const events = (app) => app.get('/events', (_request, reply) => void reply.sse({ rooms: 'r' }));

async function endAll() {
  for (const stream of streams.splice(0)) stream.close();
  await Promise.all(apps.splice(0).map((app) => app.close()));
}

module.exports = { QUIET, endAll, events, listen, make, read };
