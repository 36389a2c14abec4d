import { serve } from '@hono/node-server';
import { createHub } from 'fanline';
import { Hono } from 'hono';

const app = new Hono();
const hub = createHub();

app.get('/events/:room', (c) => hub.response(c.req.raw, { rooms: c.req.param('room') }));

app.post('/events/:room', async (c) => {
  const { matched } = hub.to(c.req.param('room')).send(await c.req.json(), { event: 'note' });
  return c.json({ matched });
});

const server = serve({ fetch: app.fetch, port: 3000 });
process.once('SIGTERM', async () => {
  await hub.close({ grace: 2_000 });
  server.close();
});
