import { createHub } from 'fanline';
import { H3, serve } from 'h3';

const app = new H3();
const hub = createHub();

app.get('/events/:room', (event) => hub.response(event.req, { rooms: event.context.params.room }));

app.post('/events/:room', async (event) => {
  const { matched } = hub
    .to(event.context.params.room)
    .send(await event.req.json(), { event: 'note' });
  return { matched };
});

const server = serve(app, { port: 3000, gracefulShutdown: false }); // its own would wait, then cut
process.once('SIGTERM', async () => {
  await hub.close({ grace: 2_000 });
  await server.close();
});
