'use strict';

// A stream among the other middleware of a Koa app.

const assert = require('node:assert/strict');
const { once } = require('node:events');
const Koa2 = require('koa2');
const Koa3 = require('koa');
const { createHub } = require('fanline');
const { open } = require('../../js/support/open');
const { when } = require('../../js/support/stage');

for (const [name, Koa] of [
  ['Koa 2', Koa2],
  ['Koa 3', Koa3],
]) {
  describe(name, () => {
    let hub;
    let server = null;
    let streams = [];
    let errors;

    beforeEach(() => {
      hub = createHub({ retry: false, heartbeat: false, history: false });
    });

    afterEach(async () => {
      for (const stream of streams) stream.close();
      streams = [];
      await hub.close({ grace: 0 });
      if (server?.listening) await new Promise((resolve) => server.close(resolve));
      server = null;
    });

    /** @returns {Promise<string>} the address of an app of these */
    async function listen(...middleware) {
      const app = new Koa();
      errors = [];
      app.on('error', (err) => errors.push(err));
      for (const use of middleware) app.use(use);
      server = app.listen(0, '127.0.0.1');
      await once(server, 'listening');
      return `http://127.0.0.1:${server.address().port}`;
    }

    async function read(url, options) {
      const stream = await open(url, options);
      streams.push(stream);
      return stream;
    }

    function connect(ctx) {
      ctx.respond = false;
      return hub.connect(ctx.req, ctx.res);
    }

    it('writes past Node on plain http', async () => {
      const url = await listen(connect);
      const stream = await read(url);
      const [client] = hub.clients.values();
      assert.equal(client.transport, 'fd');
      client.send('hello');
      assert.deepEqual(await stream.data(1), ['hello']);
      const gone = once(client, 'close');
      stream.close();
      assert.deepEqual(await gone, ['client']);
    });

    it('runs middleware before and behind it, in order, and sends what it has set', async () => {
      const order = [];
      const url = await listen(
        async (ctx, next) => {
          order.push('before');
          ctx.set('X-Request', '7');
          ctx.cookies.set('a', '1');
          ctx.type = 'html';
          await next();
          order.push(`behind ${ctx.status}`);
          ctx.set('X-Late', 'never sent');
          ctx.body ??= 'nor this';
        },
        (ctx) => {
          order.push('stream');
          connect(ctx);
        },
      );
      const stream = await read(url);
      await when(() => order.length === 3);
      assert.deepEqual(order, ['before', 'stream', 'behind 200']);
      const { headers } = stream;
      assert.equal(headers['x-request'], '7');
      assert.match(headers['set-cookie'][0], /^a=1/);
      assert.equal(headers['content-type'], 'text/event-stream');
      assert.equal(headers['x-late'], undefined);
      hub.broadcast('hello');
      assert.deepEqual(await stream.data(1), ['hello']);
      assert.equal(stream.text, ':\ndata: hello\n\n');
      assert.deepEqual(errors, []);
    });

    it('answers 401 where a middleware throws it, and no stream', async () => {
      const url = await listen((ctx, next) => {
        if (ctx.get('Authorization') !== 'ann') ctx.throw(401);
        return next();
      }, connect);
      const refused = await read(url);
      assert.equal(refused.status, 401);
      assert.equal(await refused.end(), 'end');
      assert.equal(hub.size, 0);
      const stream = await read(url, { headers: { Authorization: 'ann' } });
      assert.equal(stream.status, 200);
      assert.equal(hub.size, 1);
    });

    it('answers bad options with 500, and tells the app', async () => {
      const url = await listen((ctx) => {
        ctx.respond = false;
        hub.connect(ctx.req, ctx.res, { rooom: 'r' });
      });
      const stream = await read(url);
      assert.equal(stream.status, 500);
      assert.equal(await stream.end(), 'end');
      assert.deepEqual(
        errors.map(({ code }) => code),
        ['ERR_FAN_ARG'],
      );
    });

    it('tells the app of an error behind the start of a stream, which goes on', async () => {
      const late = new Error('late');
      const url = await listen(async (ctx) => {
        connect(ctx);
        throw late;
      });
      const stream = await read(url);
      await when(() => errors.length > 0);
      assert.deepEqual(errors, [late]);
      hub.broadcast('still here');
      assert.deepEqual(await stream.data(1), ['still here']);
    });

    it('ends the stream at once where ctx.respond is left alone', async () => {
      const url = await listen((ctx) => void hub.connect(ctx.req, ctx.res));
      const stream = await read(url);
      assert.equal(await stream.end(), 'end');
      assert.deepEqual(stream.events, []);
    });

    it('lets the server close once the hub has', async () => {
      const url = await listen(connect);
      const all = await Promise.all([1, 2, 3].map(() => read(url)));
      assert.deepEqual(await hub.close({ grace: 50 }), { ended: 3, cut: 0 });
      await new Promise((resolve) => server.close(resolve));
      for (const stream of all) assert.equal(await stream.end(), 'end');
    });
  });
}
