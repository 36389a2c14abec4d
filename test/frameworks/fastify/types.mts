import { type Client, createHub, type Hub } from 'fanline';
import fanline, { type AdapterOptions } from 'fanline/fastify';
import Fastify from 'fastify';

const app = Fastify();

app.register(fanline);
app.register(fanline, { hub: { heartbeat: 5_000 }, grace: 1_000, prefix: '/x' });
app.register(fanline, { hub: createHub<{ tick: number }>(), grace: false });
// @ts-expect-error: an unknown option
app.register(fanline, { hbu: {} });
// @ts-expect-error: neither ms nor false
app.register(fanline, { grace: '1s' });
export const options: AdapterOptions = { grace: 5 };

app.get('/', (_request, reply) => {
  const client: Client = reply.sse({ rooms: ['a'], user: 'u', headers: { 'X-A': '1' } });
  client.send('hello');
  reply.sse();
  // @ts-expect-error: an unknown option
  reply.sse({ rooom: 'a' });
});
export const hub: Hub = app.hub;
// @ts-expect-error: rooms are strings
app.hub.to(5).send('x');
