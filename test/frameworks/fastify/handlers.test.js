'use strict';

// What surrounds a stream in a Fastify app: hooks before and behind it, and what its handler throws.

const assert = require('node:assert/strict');
const { once } = require('node:events');
const { when } = require('../../js/support/stage');
const { endAll, events, listen, read } = require('./support/apps');

describe('hooks around reply.sse()', () => {
  afterEach(endAll);

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

describe('errors around reply.sse()', () => {
  afterEach(endAll);

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

  // Of what a handler throws that is not async, Fastify logs no more than that there is an answer already.
  const SENT = { code: 'FST_ERR_REP_ALREADY_SENT' };
  for (const [how, logged, handler] of [
    [
      'a handler that throws',
      SENT,
      (_request, reply) => {
        reply.sse();
        throw new Error('late');
      },
    ],
    [
      'an async handler that rejects',
      { message: 'late' },
      async (_request, reply) => {
        reply.sse();
        throw new Error('late');
      },
    ],
    [
      'a second reply.sse()',
      { code: 'ERR_FAN_HEADERS_SENT' },
      async (_request, reply) => {
        reply.sse();
        reply.sse();
      },
    ],
  ]) {
    it(`after it are logged, and the stream goes on: ${how}`, async () => {
      const app = await listen((it) => void it.get('/events', handler));
      const stream = await read(`${app.url}/events`);
      await when(() => app.lines.length === 1);
      const [{ err }] = app.lines;
      for (const key in logged) assert.equal(err[key], logged[key]);
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
