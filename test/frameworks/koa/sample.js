'use strict';

const { json } = require('node:stream/consumers');
const Koa = require('koa');
const Router = require('@koa/router');
const { createHub } = require('fanline');

const app = new Koa();
const router = new Router();
const hub = createHub();

router.get('/events/:room', (ctx) => {
  ctx.respond = false; // else Koa ends the response when the middleware is through
  hub.connect(ctx.req, ctx.res, { rooms: ctx.params.room });
});

router.post('/events/:room', async (ctx) => {
  const { matched } = hub.to(ctx.params.room).send(await json(ctx.req), { event: 'note' });
  ctx.body = { matched };
});

const server = app.use(router.routes()).listen(3000);
process.once('SIGTERM', async () => {
  await hub.close({ grace: 2_000 });
  server.close();
});
