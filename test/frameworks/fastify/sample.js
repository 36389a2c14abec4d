'use strict';

const Fastify = require('fastify');
const fanline = require('fanline/fastify');

const app = Fastify({ return503OnClosing: false }); // EventSource never returns after a 503
app.register(fanline, { grace: 2_000 });

app.get('/events/:room', (request, reply) => {
  reply.sse({ rooms: request.params.room });
});

app.post('/events/:room', async (request) => {
  const { matched } = app.hub.to(request.params.room).send(request.body, { event: 'note' });
  return { matched };
});

app.listen({ port: 3000 });
process.once('SIGTERM', () => app.close());
