'use strict';

// Run by mocha under Bun or Deno: the behaviour suite over their node:http, node:https and node:http2. There is no descriptor,
// so that every stream is on relay, and nothing that the kernel could be told to keep less.

const compression = require('compression');
const express = require('express');
const BEHAVIOURS = require('../../js/suite/all');
const { combosOf, overMatrix } = require('../../js/suite/world');

const wrapExpress = (middleware, listener, onError) => {
  const app = express();
  for (const use of middleware) app.use(use);
  app.use(listener);
  app.use((err, _req, res, _next) => {
    onError(err);
    res.status(err.status ?? 500).end();
  });
  return app;
};
const isBun = process.versions.bun !== undefined;
const isDeno = process.versions.deno !== undefined;

// Which say "slow" of a reader as soon as 1 MB waits. Without a descriptor the kernel takes 4 MiB first: streams.test.js sends more.
const KEPT_BY_KERNEL = [
  'makes send() false and drain() wait; reading on loses nothing',
  'answers drain() false when the peer leaves',
  'for limits.stallTimeout ends the stream as stalled',
];
const PAUSED = 'a piped source waits for a reader that has stopped';
const SLOW = 'past limits.queueBytes ends the stream as slow, with a prefix of the events';

const HTTP = { name: 'http', kind: 'http', cause: 'descriptor', without: KEPT_BY_KERNEL };
const HTTPS = {
  name: 'https',
  kind: 'https',
  cause: 'tls',
  // Deno's own client, which reads here, reads on where it is told to pause.
  without: isDeno ? [...KEPT_BY_KERNEL, PAUSED, SLOW] : KEPT_BY_KERNEL,
};
const HTTP2 = {
  name: 'http2',
  kind: 'http2',
  cause: 'http2',
  // Bun's stream.close(code) sends 0, whatever the code.
  without: isBun ? ['by a destroyed response is noticed by both sides'] : [],
};
const COMPRESSED = {
  name: 'compression',
  kind: 'http',
  cause: isBun ? 'descriptor' : 'encoding', // where the head cannot be looked at
  encoding: 'gzip',
  headers: { 'Cache-Control': 'no-cache' }, // the default forbids it to transform
  request: { 'Accept-Encoding': 'gzip' },
  middleware: [compression],
  without: [
    ...KEPT_BY_KERNEL,
    PAUSED,
    'serves HTTP/1.0 without chunks, the end of the connection being the end', // not compressed: it expects a descriptor
  ],
};

const PLAIN = { name: 'http', wrap: (_middleware, listener) => listener };
const EXPRESS = { name: 'Express 5', wrap: wrapExpress };

describe('behaviour', () => {
  overMatrix(Object.values(BEHAVIOURS), [
    ...combosOf([HTTP, HTTPS, HTTP2], PLAIN),
    ...combosOf([HTTP, COMPRESSED], EXPRESS),
  ]);
});
