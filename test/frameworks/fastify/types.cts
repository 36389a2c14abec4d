import fanline = require('fanline/fastify');
import Fastify = require('fastify');

const app = Fastify();
app.register(fanline.default, { grace: 1_000 });
app.get('/', (_request, reply) => {
  reply.sse({ rooms: 'a' });
});
