'use strict';

// The behaviour suite over Fastify: what it does with hub.connect() goes through reply.sse().

const Fastify = require('fastify');
const fanline = require('fanline/fastify');
const BEHAVIOURS = require('../../js/suite/all');
const { TRANSPORTS, combosOf, overMatrix } = require('../../js/suite/world');

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
  const { opening, pressure, replay, sending } = BEHAVIOURS;
  const [fd, , , http2] = TRANSPORTS;
  const detached = { ...TRANSPORTS.find(({ name }) => name === 'detached'), without: undefined };
  overMatrix(Object.values(BEHAVIOURS), combosOf([fd], FASTIFY));
  overMatrix([opening, pressure, replay], combosOf([http2], FASTIFY));
  overMatrix([sending, pressure, replay], combosOf([detached], FASTIFY));
});
