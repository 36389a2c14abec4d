'use strict';

const assert = require('node:assert/strict');
const { once } = require('node:events');
const Fastify = require('fastify');
const { createHub } = require('fanline');
const fanline = require('fanline/fastify');
const { open } = require('../../js/support/open');
const { open2 } = require('../../js/support/open-h2');
const { when } = require('../../js/support/stage');

const QUIET = { retry: false, heartbeat: false, history: false };

describe('fanline/fastify', () => {
  let apps = [];
  let streams = [];

  afterEach(async () => {
    for (const stream of streams) stream.close();
    await Promise.all(apps.map((app) => app.close()));
    apps = [];
    streams = [];
  });

  /** An app with the plugin, and what `define` puts into it, that listens. Its log is in `app.lines`. */
  async function listen(define, { plugin, ...options } = {}) {
    const lines = [];
    const stream = { write: (line) => lines.push(JSON.parse(line)) };
    const app = Fastify({ logger: { level: 'warn', stream }, ...options });
    app.lines = lines;
    apps.push(app);
    app.register(fanline, { hub: QUIET, grace: 0, ...plugin });
    define?.(app);
    app.url = await app.listen({ port: 0, host: '127.0.0.1' });
    return app;
  }

  async function read(url, options) {
    const stream = await (options?.http2 ? open2 : open)(url, options);
    streams.push(stream);
    return stream;
  }

  /** A route that opens a stream, as most do. */
  const events = (app) => app.get('/events', (_request, reply) => void reply.sse({ rooms: 'r' }));

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

  describe('hooks', () => {
    const BEFORE = ['onRequest', 'preParsing', 'preValidation', 'preHandler'];

    it('run before the stream in their order, and onResponse at its end; onSend does not', async () => {
      const order = [];
      const app = await listen((it) => {
        for (const name of BEFORE) it.addHook(name, async () => void order.push(name));
        it.addHook('onSend', async () => void order.push('onSend'));
        it.addHook('onResponse', async (_request, reply) => {
          order.push('onResponse', reply.statusCode);
        });
        it.get('/events', async (_request, reply) => {
          order.push('handler');
          reply.sse();
        });
      });
      const stream = await read(`${app.url}/events`);
      assert.deepEqual(order, [...BEFORE, 'handler']);
      const [client] = app.hub.clients.values();
      client.close();
      assert.equal(await stream.end(), 'end');
      await when(() => order.length > 5);
      assert.deepEqual(order.slice(5), ['onResponse', 200]);
    });

    it('hear of a reader that leaves: onRequestAbort, as ever', async () => {
      const heard = [];
      const app = await listen((it) => {
        it.addHook('onRequestAbort', async ({ url }) => void heard.push(url));
        events(it);
      });
      const stream = await read(`${app.url}/events`);
      const gone = once(app.hub, 'disconnect');
      stream.close();
      assert.equal((await gone)[1], 'client');
      await when(() => heard.length > 0);
      assert.deepEqual(heard, ['/events']);
    });

    it('may set headers, which a stream sends too', async () => {
      const app = await listen((it) => {
        it.addHook('onRequest', async (_request, reply) => {
          reply.header('Access-Control-Allow-Origin', 'https://a.example');
          reply.header('Content-Type', 'text/html');
        });
        it.get('/events', (_request, reply) => {
          reply.header('X-Request', '7').header('Set-Cookie', ['a=1', 'b=2']).code(404);
          reply.sse({ headers: { 'X-Own': 'yes' } });
        });
      });
      const { status, headers } = await read(`${app.url}/events`);
      assert.equal(status, 200);
      assert.equal(headers['access-control-allow-origin'], 'https://a.example');
      assert.equal(headers['content-type'], 'text/event-stream');
      assert.equal(headers['x-request'], '7');
      assert.equal(headers['x-own'], 'yes');
      assert.deepEqual(headers['set-cookie'], ['a=1', 'b=2']);
    });

    it('may refuse: 401, and no stream', async () => {
      const app = await listen((it) => {
        it.addHook('preHandler', async (request, reply) => {
          if (request.headers.authorization !== 'ann') return reply.code(401).send({ no: true });
        });
        it.get('/events', (_request, reply) => void reply.sse());
      });
      app.hub.once('connect', () => assert.fail('a client'));
      const refused = await fetch(`${app.url}/events`);
      assert.equal(refused.status, 401);
      assert.deepEqual(await refused.json(), { no: true });
      assert.equal(app.hub.size, 0);
      app.hub.removeAllListeners('connect');
      const stream = await read(`${app.url}/events`, { headers: { Authorization: 'ann' } });
      assert.equal(stream.status, 200);
    });
  });

  describe('errors', () => {
    it('before the stream are answered by the error handler', async () => {
      const app = await listen((it) => {
        it.setErrorHandler((err, _request, reply) => reply.code(418).send({ code: err.code }));
        it.get('/throws', () => {
          throw Object.assign(new Error('no'), { code: 'MINE' });
        });
        it.get('/options', async (_request, reply) => void reply.sse({ rooom: 'r' }));
        it.get('/sync', (_request, reply) => void reply.sse({ rooom: 'r' }));
      });
      for (const [path, code] of [
        ['/throws', 'MINE'],
        ['/options', 'ERR_FAN_ARG'],
        ['/sync', 'ERR_FAN_ARG'],
      ]) {
        const answer = await fetch(app.url + path);
        assert.equal(answer.status, 418, path);
        assert.deepEqual(await answer.json(), { code });
      }
      assert.equal(app.hub.size, 0);
    });

    for (const [how, handler] of [
      [
        'a handler that throws',
        (_request, reply) => {
          reply.sse();
          throw new Error('late');
        },
      ],
      [
        'an async handler that rejects',
        async (_request, reply) => {
          reply.sse();
          throw new Error('late');
        },
      ],
      [
        'a second reply.sse()',
        (_request, reply) => {
          reply.sse();
          reply.sse();
        },
      ],
    ]) {
      it(`after it are logged, and the stream goes on: ${how}`, async () => {
        const app = await listen((it) => void it.get('/events', handler));
        const stream = await read(`${app.url}/events`);
        await when(() => app.lines.length === 1);
        assert(app.lines[0].err, JSON.stringify(app.lines));
        app.hub.broadcast('still here');
        assert.deepEqual(await stream.data(1), ['still here']);
      });
    }

    it('a handler that answers with the client harms nothing', async () => {
      const app = await listen((it) => {
        it.get('/sync', (_request, reply) => reply.sse());
        it.get('/async', async (_request, reply) => reply.sse());
      });
      for (const path of ['/sync', '/async']) {
        const stream = await read(app.url + path);
        app.hub.broadcast(path);
        assert.deepEqual(await stream.data(1), [path]);
      }
    });

    it('refuses a response that was begun without it', async () => {
      let thrown;
      const app = await listen((it) => {
        it.get('/events', async (_request, reply) => {
          reply.hijack();
          reply.raw.write('mine');
          try {
            reply.sse();
          } catch (err) {
            thrown = err;
          }
          reply.raw.end();
        });
      });
      assert.equal(await (await fetch(`${app.url}/events`)).text(), 'mine');
      assert.equal(thrown.code, 'ERR_FAN_HEADERS_SENT');
    });
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
      const app = Fastify();
      apps.push(app);
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
      const app = Fastify();
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

    it('leaves sends to preClose hooks that come first', async () => {
      const app = await listen(undefined, { plugin: { grace: 50 } });
      await app.close();
      const second = Fastify();
      apps.push(second);
      second.addHook('preClose', async () => void second.hub.broadcast('goodbye'));
      second.register(fanline, { hub: QUIET, grace: 50 });
      events(second);
      const url = await second.listen({ port: 0, host: '127.0.0.1' });
      const stream = await read(`${url}/events`);
      await second.close();
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
        const app = Fastify();
        app.register(fanline, options);
        await assert.rejects(async () => app.ready(), { code: 'ERR_FAN_OPTION', message });
      });
    }

    it('may be beside those of register()', async () => {
      const app = Fastify();
      apps.push(app);
      app.register(fanline, { hub: QUIET, prefix: '/x', logLevel: 'warn' });
      await app.ready();
      assert.equal(app.hub.size, 0);
    });
  });
});
