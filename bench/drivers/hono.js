'use strict';

const { once } = require('node:events');
const { versionOf } = require('../suite/version');
const { History } = require('./support/history');
const { Rooms } = require('./support/rooms');

/** streamSSE serves one stream: who is there and who is in which room is the application's, and a broadcast is a loop. */
async function create({ history: size, onStream }) {
  const { Hono } = require('hono');
  const { streamSSE } = require('hono/streaming');
  const { createAdaptorServer } = require('@hono/node-server');
  const app = new Hono();
  const clients = new Set();
  const rooms = new Rooms();
  const history = new History(size);
  const sendTo = (list, message) => {
    for (const stream of list) stream.writeSSE(message);
  };

  app.get('/ping', (c) => c.text('pong'));
  app.get('/events', (c) =>
    streamSSE(c, async (stream) => {
      const gone = new Promise((resolve) => stream.onAbort(resolve));
      for (const message of history.after(Number(c.req.header('Last-Event-ID') ?? 0)))
        await stream.writeSSE(message);
      clients.add(stream);
      for (const room of c.req.query('rooms')?.split(',') ?? []) rooms.join(room, stream);
      await gone;
      clients.delete(stream);
      rooms.leaveAll(stream);
    }),
  );
  app.get('/stream', (c) =>
    streamSSE(
      c,
      (stream) =>
        new Promise((end) => {
          stream.onAbort(end);
          onStream({
            send: (data) => stream.writeSSE({ data }),
            async pipe(source) {
              for await (const data of source) await stream.writeSSE({ data });
              end();
            },
            end,
          });
        }),
    ),
  );

  const server = createAdaptorServer({ fetch: app.fetch });
  return {
    async listen() {
      server.listen({ port: 0, host: '127.0.0.1', backlog: 4096 });
      await once(server, 'listening');
      return server.address().port;
    },
    broadcast(text) {
      const id = history.next()?.toString();
      const message = { data: text, id };
      history.keep(message);
      sendTo(clients, message);
    },
    toRoom: (room, text) => sendTo(rooms.of(room), { data: text }),
  };
}

module.exports = {
  what: "Hono's streamSSE on @hono/node-server: a set of streams, and a loop over their writeSSE() that waits for nobody",
  versions: () => ({
    hono: versionOf('hono'),
    '@hono/node-server': versionOf('@hono/node-server'),
  }),
  has: ['broadcast', 'rooms', 'private', 'pipe', 'replay', 'ping'],
  create,
};
