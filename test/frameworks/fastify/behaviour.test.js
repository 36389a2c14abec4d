'use strict';

// The behaviour suite over Fastify: what it does with hub.connect() goes through reply.sse().

const Fastify = require('fastify');
const fanline = require('fanline/fastify');
const { TRANSPORTS, combosOf, overMatrix } = require('../../js/suite/world');

const OVER_HTTP2 = [
  require('../../js/suite/opening'),
  require('../../js/suite/pressure'),
  require('../../js/suite/replay'),
];
const BEHAVIOURS = [
  ...OVER_HTTP2,
  require('../../js/suite/sending'),
  require('../../js/suite/leaving'),
  require('../../js/suite/closing'),
  require('../../js/suite/ownwrites'),
  require('../../js/suite/wrappers'),
  require('../../js/suite/deciding'),
];

async function wrap(_middleware, listener, onError, hub) {
  const replies = new WeakMap(); // by Node's response, until it is a stream
  const app = Fastify();
  app.register(fanline, { hub });
  app.addContentTypeParser('*', (_request, _body, done) => done(null)); // the tests read bodies themselves
  app.setErrorHandler((err, _request, reply) => {
    onError(err);
    reply.code(err.status ?? 500).send();
  });
  app.all('/*', (request, reply) => {
    replies.set(reply.raw, reply);
    return new Promise((_resolve, reject) => listener(request.raw, reply.raw, reject));
  });
  const { connect } = hub;
  hub.connect = (req, res, opts) => {
    const reply = replies.get(res);
    if (!replies.delete(res)) return connect.call(hub, req, res, opts);
    return reply.sse(opts);
  };
  await app.ready();
  return app.routing;
}

const FASTIFY = { name: 'Fastify', wrap, kinds: ['http', 'http2'] };

describe('behaviour', () => {
  const [fd, , , http2] = TRANSPORTS;
  overMatrix(BEHAVIOURS, combosOf([fd], FASTIFY));
  overMatrix(OVER_HTTP2, combosOf([http2], FASTIFY));
});
