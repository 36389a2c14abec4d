'use strict';

const assert = require('node:assert/strict');
const { once } = require('node:events');
const { createHub } = require('fanline');
const fanline = require('fanline/fastify');
const { QUIET, endAll, events, listen, make, read } = require('./support/apps');

describe('fanline/fastify', () => {
  afterEach(endAll);

  it('writes past Node on plain http', async () => {
    const app = await listen(events);
    const stream = await read(`${app.url}/events`);
    assert.equal(stream.status, 200);
    assert.equal(stream.headers['content-type'], 'text/event-stream');
    const [client] = app.hub.clients.values();
    assert.equal(client.transport, 'fd');
    assert.deepEqual([...client.rooms], ['r']);
    app.hub.to('r').send('hello');
    assert.deepEqual(await stream.data(1), ['hello']);
  });

  it('goes through Node on HTTP/2, cleartext', async () => {
    const app = await listen(events, { http2: true });
    const stream = await read(`${app.url}/events`, { http2: true });
    const [client] = app.hub.clients.values();
    assert.equal(client.transport, 'relay');
    app.hub.to('r').send('hello');
    assert.deepEqual(await stream.data(1), ['hello']);
    client.close();
    assert.equal(await stream.end(), 'end');
  });

  it('answers inject(), as tests of applications use it', async () => {
    const app = await listen((it) => {
      it.get('/two', (_request, reply) => {
        const client = reply.sse();
        client.send(1);
        client.close({ event: 'done', data: 2 });
      });
    });
    const { statusCode, headers, payload } = await app.inject('/two');
    assert.equal(statusCode, 200);
    assert.equal(headers['content-type'], 'text/event-stream');
    assert.equal(payload, ':\ndata: 1\n\nevent: done\ndata: 2\n\n');
  });

  it('answers HEAD with the headers of a stream, and no client', async () => {
    const app = await listen(events);
    const { status, headers } = await fetch(`${app.url}/events`, { method: 'HEAD' });
    assert.equal(status, 200);
    assert.equal(headers.get('content-type'), 'text/event-stream');
    assert.equal(app.hub.size, 0);
  });

  it('is the same plugin when imported', async () => {
    const imported = await import('fanline/fastify');
    assert.equal(imported.default, fanline);
  });

  describe('scopes', () => {
    it('have the hub of the scope above, or one of their own', async () => {
      const app = await listen((it) => {
        events(it);
        it.register(async (below) => {
          below.get('/below', (_request, reply) => void reply.sse());
        });
        it.register(
          async (own) => {
            own.register(fanline, { hub: QUIET, grace: 0 });
            own.get('/events', (_request, reply) => void reply.sse());
            own.get('/send', async () => own.hub.broadcast('own').matched);
          },
          { prefix: '/own' },
        );
      });
      const above = await read(`${app.url}/events`);
      const below = await read(`${app.url}/below`);
      const own = await read(`${app.url}/own/events`);
      assert.equal(app.hub.size, 2);
      assert.equal(await (await fetch(`${app.url}/own/send`)).text(), '1');
      app.hub.broadcast('above');
      assert.deepEqual(await own.data(1), ['own']);
      assert.deepEqual(await above.data(1), ['above']);
      assert.deepEqual(await below.data(1), ['above']);
      await app.close();
      for (const stream of [above, below, own]) assert.equal(await stream.end(), 'end');
      assert.deepEqual(own.events, []);
    });

    it('beside the one with the plugin know nothing of it', async () => {
      const app = make();
      let inside;
      let beside;
      app.register(async (it) => {
        it.register(fanline, { hub: QUIET });
        it.after(() => {
          inside = it.hasReplyDecorator('sse') && it.hasDecorator('hub');
        });
      });
      app.register(async (it) => {
        beside = it.hasReplyDecorator('sse') || it.hasDecorator('hub');
      });
      await app.ready();
      assert.deepEqual([inside, beside], [true, false]);
      assert.deepEqual([app.hasReplyDecorator('sse'), app.hasDecorator('hub')], [false, false]);
    });

    it('take the plugin once', async () => {
      const app = make();
      app.register(fanline).register(fanline);
      await assert.rejects(async () => app.ready(), { code: 'FST_ERR_DEC_ALREADY_PRESENT' });
    });
  });

  describe('app.close()', () => {
    it('ends the streams in order before onClose, and lets the connections go', async () => {
      const order = [];
      const app = await listen(
        (it) => {
          it.addHook('onClose', async () => void order.push(`onClose ${it.hub.size}`));
          events(it);
        },
        { plugin: { hub: { ...QUIET, retry: 1_234 }, grace: 100 } },
      );
      const all = await Promise.all([1, 2, 3].map(() => read(`${app.url}/events`)));
      app.hub.on('disconnect', (_client, reason) => order.push(reason));
      await app.close();
      assert.deepEqual(order, ['shutdown', 'shutdown', 'shutdown', 'onClose 0']);
      for (const stream of all) {
        assert.equal(await stream.end(), 'end');
        assert.match(stream.text, /retry: 1234\n$/);
      }
      assert.throws(() => app.hub.broadcast('x'), { code: 'ERR_FAN_CLOSED' });
    });

    it('comes behind preClose hooks that were there before, which may still send', async () => {
      const app = make();
      app.addHook('preClose', async () => void app.hub.broadcast('goodbye'));
      app.register(fanline, { hub: QUIET, grace: 50 });
      events(app);
      const url = await app.listen({ port: 0, host: '127.0.0.1' });
      const stream = await read(`${url}/events`);
      await app.close();
      assert.deepEqual(await stream.data(1), ['goodbye']);
    });

    for (const [title, return503OnClosing, status] of [
      ['sends newcomers away, to come back, with return503OnClosing: false', false, 200],
      ['has Fastify answer newcomers with 503 otherwise', true, 503],
    ]) {
      it(title, async () => {
        const app = await listen(events, { return503OnClosing, plugin: { grace: 400 } });
        await read(`${app.url}/events`);
        const second = await read(`${app.url}/events`);
        const begun = once(app.hub, 'disconnect');
        const closed = app.close();
        await begun;
        const late = await read(`${app.url}/events`);
        assert.equal(late.status, status);
        assert.equal(await late.end(), 'end');
        if (status === 200) assert.match(late.text, /^retry: \d+\n$/);
        assert.equal(await second.end(), 'end');
        await closed;
      });
    }

    it('leaves a hub open with grace: false', async () => {
      const hub = createHub(QUIET);
      const app = await listen(undefined, { plugin: { hub, grace: false } });
      assert.equal(app.hub, hub);
      await app.close();
      assert.equal(hub.broadcast('x').matched, 0);
      await hub.close();
    });
  });

  describe('options', () => {
    const refused = [
      [{ hbu: {} }, /"hbu" in register\(\)\. Did you mean "hub"\?/],
      [{ hub: { heartbeet: 1 } }, /Did you mean "heartbeat"/],
      [{ hub: 'hub' }, /"hub" option must be a hub, or the options of one/],
      [{ grace: -1 }, /"grace"/],
      [{ grace: '1s' }, /"grace"/],
    ];
    for (const [options, message] of refused) {
      it(`are refused when Fastify starts: ${JSON.stringify(options)}`, async () => {
        const app = make();
        app.register(fanline, options);
        await assert.rejects(async () => app.ready(), { code: 'ERR_FAN_OPTION', message });
      });
    }

    it('may be beside those of register()', async () => {
      const app = make();
      app.register(fanline, { hub: QUIET, prefix: '/x', logLevel: 'warn' });
      await app.ready();
      assert.equal(app.hub.size, 0);
    });
  });
});
