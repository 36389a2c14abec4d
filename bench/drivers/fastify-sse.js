'use strict';

const { versionOf } = require('../suite/version');
const { History } = require('./support/history');
const { Rooms } = require('./support/rooms');

/** The plugin serves one stream: who is there and who is in which room is the application's, and a broadcast is a loop. */
async function create({ history: size, onStream }) {
  const fastify = require('fastify')();
  await fastify.register(require('@fastify/sse'), { serializer: (text) => text });
  const clients = new Set();
  const rooms = new Rooms();
  const history = new History(size);
  const sendTo = (list, message) => {
    for (const sse of list) if (sse.isConnected) sse.send(message);
  };

  fastify.get('/ping', (_request, reply) => reply.send('pong'));
  fastify.get('/events', { sse: 'only' }, async ({ query }, { raw, sse }) => {
    sse.keepAlive();
    sse.sendHeaders();
    raw.flushHeaders();
    await sse.replay(async (lastEventId) => {
      for (const message of history.after(Number(lastEventId))) await sse.send(message);
    });
    clients.add(sse);
    for (const room of query.rooms?.split(',') ?? []) rooms.join(room, sse);
    sse.onClose(() => {
      clients.delete(sse);
      rooms.leaveAll(sse);
    });
  });
  fastify.get('/stream', { sse: 'only' }, async (_request, { raw, sse }) => {
    sse.keepAlive();
    sse.sendHeaders();
    raw.flushHeaders();
    onStream({
      send: (text) => sse.send(text),
      pipe: (source) => sse.send(source).then(() => sse.close()),
      end: () => sse.close(),
    });
  });

  return {
    async listen() {
      await fastify.listen({ port: 0, host: '127.0.0.1', backlog: 4096 });
      return fastify.server.address().port;
    },
    broadcast(text) {
      const id = history.next()?.toString();
      const message = id === undefined ? { data: text } : { data: text, id };
      history.keep(message);
      sendTo(clients, message);
    },
    toRoom: (room, text) => sendTo(rooms.of(room), { data: text }),
  };
}

module.exports = {
  what: '@fastify/sse: a set of replies, and a loop over their send() that waits for nobody',
  versions: () => ({ '@fastify/sse': versionOf('@fastify/sse'), fastify: versionOf('fastify') }),
  has: ['broadcast', 'rooms', 'private', 'pipe', 'replay', 'ping'],
  create,
};
