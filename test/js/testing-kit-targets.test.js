'use strict';

// fanline/testing: where a stream can be opened, and what becomes of what was started for it.

const assert = require('node:assert/strict');
const { fork } = require('node:child_process');
const { once } = require('node:events');
const fs = require('node:fs');
const http = require('node:http');
const http2 = require('node:http2');
const https = require('node:https');
const net = require('node:net');
const os = require('node:os');
const path = require('node:path');
const express4 = require('express4');
const express5 = require('express');
const { createHub } = require('fanline');
const { closeAll, open } = require('fanline/testing');
const { TLS, serve } = require('./support/serve');

const TYPE = { 'Content-Type': 'text/event-stream' };

/** A listener whose stream says the path it was asked for, and stays open. */
function saying(req, res) {
  res.writeHead(200, TYPE);
  res.write(`data: ${req.url}\n\n`);
}

function isListening(port) {
  return new Promise((resolve) => {
    const socket = net.connect(port, '127.0.0.1');
    socket.on('connect', () => socket.destroy(resolve(true)));
    socket.on('error', () => resolve(false));
  });
}

const portOf = ({ url }) => Number(new URL(url).port);

describe('fanline/testing, targets', () => {
  afterEach(closeAll);

  const APPS = {
    'a (req, res) function': saying,
    'Express 4': express4().get('/a', saying),
    'Express 5': express5().get('/a', saying),
    'an object with callback(), as Koa': { callback: () => saying },
    'an object with handle(), as connect': { handle: (req, res) => saying(req, res) },
    'http.Server': http.createServer(saying),
    'https.Server': https.createServer(TLS, saying),
    'http2 with TLS': http2.createSecureServer(TLS, saying),
    'http2 with TLS that knows HTTP/1.1, too': http2.createSecureServer(
      { ...TLS, allowHTTP1: true },
      saying,
    ),
    'http2 in clear text': http2.createServer(saying),
    'an object with a server, as Fastify': { server: http.createServer(saying) },
  };
  for (const [name, app] of Object.entries(APPS)) {
    it(`${name} is started for the stream, closed with the last, and started again`, async () => {
      for (let round = 0; round < 2; round++) {
        const [one, two] = await Promise.all([open(app, '/a'), open(app, '/a?b')]);
        assert.equal(portOf(one), portOf(two));
        assert.deepEqual(await one.next(), { data: '/a' });
        assert.deepEqual(await two.next(), { data: '/a?b' });
        await one.close();
        assert.ok(await isListening(portOf(two)));
        await two.close();
        assert.equal(await isListening(portOf(two)), false);
      }
    });
  }

  for (const kind of ['http', 'https', 'http2']) {
    it(`a server that listens is asked there, and goes on: ${kind}`, async () => {
      const server = await serve(saying, kind);
      const stream = await open(server.server, '/a');
      assert.equal(portOf(stream), server.port);
      assert.deepEqual(await stream.next(), { data: '/a' });
      await stream.close();
      assert.ok(server.server.listening);
      await server.close();
    });

    it(`an address is asked as it is, a path beside it: ${kind}`, async () => {
      const server = await serve(saying, kind);
      const options = { http2: kind === 'http2' };
      const asIs = await open(new URL(`${server.url}/x?y=z`), options);
      assert.deepEqual(await asIs.next(), { data: '/x?y=z' });
      const beside = await open(`${server.url}/x`, '/other', options);
      assert.deepEqual(await beside.next(), { data: '/other' });
      await closeAll();
      await server.close();
    });
  }

  it('a server that is just about to listen is not started twice', async () => {
    for (const host of [undefined, '127.0.0.1']) {
      const server = http.createServer(saying);
      server.listen(0, host);
      const stream = await open(server, '/a');
      await stream.next();
      await stream.close();
      assert.ok(server.listening);
      server.close();
    }
  });

  it('ready() of an app is awaited', async () => {
    let isReady = false;
    const app = {
      server: http.createServer((req, res) => (isReady ? saying(req, res) : res.destroy())),
      ready: async () => {
        await new Promise(setImmediate);
        isReady = true;
      },
    };
    assert.deepEqual(await (await open(app, '/a')).next(), { data: '/a' });
  });

  it('streams of one HTTP/2 connection share it', async () => {
    const server = await serve(saying, 'http2');
    const session = http2.connect(server.url, { rejectUnauthorized: false });
    const options = { agent: session, http2: true };
    const [one, two] = await Promise.all([
      open(server.url, '/1', options),
      open(server.url, '/2', options),
    ]);
    assert.equal(one.req.session, two.req.session);
    await one.close();
    assert.deepEqual(await two.next(), { data: '/2' });
    assert.equal(session.destroyed, false);
    session.destroy();
    await server.close();
  });

  it('a hub’s handler on a server that the test started says who has left', async () => {
    const hub = createHub();
    const stream = await open(hub.handler({ user: 'ada' }));
    hub.user('ada').send('hi');
    assert.deepEqual(await stream.data(1), ['hi']);
    const left = once(hub, 'disconnect');
    await stream.close();
    assert.equal((await left)[1], 'client');
    await hub.close();
  });

  describe('what throws', () => {
    const boom = new Error('boom');
    const APPS_THAT_THROW = {
      'a function': () => {
        throw boom;
      },
      'an async function': async () => {
        await new Promise(setImmediate);
        throw boom;
      },
      'a fetch handler': {
        fetch: () => {
          throw boom;
        },
      },
      'an async fetch handler': { fetch: () => Promise.reject(boom) },
    };
    for (const [name, app] of Object.entries(APPS_THAT_THROW)) {
      it(`${name}: open() rejects with it`, () => assert.rejects(open(app), boom));
    }

    it('behind the first event: next() rejects with it, once the events are taken', async () => {
      let over;
      const stream = await open(async (req, res) => {
        saying(req, res);
        over = once(res, 'close');
        await new Promise((resolve) => setTimeout(resolve, 20));
        throw boom;
      }, '/a');
      assert.deepEqual(await stream.next(), { data: '/a' });
      await assert.rejects(stream.next(), boom);
      await over;
    });

    it('no server there: the error of Node', async () => {
      const { port, close } = await serve(saying);
      await close();
      await assert.rejects(open(`http://127.0.0.1:${port}/`), { code: 'ECONNREFUSED' });
    });
  });

  describe('a fetch handler', () => {
    const answering = (text) => ({ fetch: () => new Response(text, { headers: TYPE }) });

    it('is called with a Request, and its Response is read', async () => {
      let request;
      const handler = {
        text: 'data: 1\n\n',
        async fetch(asked) {
          request = asked;
          return new Response(this.text, { headers: TYPE });
        },
      };
      const stream = await open(handler, '/a?b=c', {
        headers: { 'X-A': 'b' },
        body: 'x',
        lastEventId: '5',
      });
      assert.equal(stream.status, 200);
      assert.equal(stream.headers['content-type'], 'text/event-stream');
      assert.deepEqual(await stream.next(), { data: '1' });
      assert.equal(await stream.next(), null);
      assert.equal(stream.ended, 'end');
      assert.equal(request.url, 'http://localhost/a?b=c');
      assert.equal(request.method, 'POST');
      assert.equal(request.headers.get('last-event-id'), '5');
      assert.equal(request.headers.get('x-a'), 'b');
      assert.equal(await request.text(), 'x');
    });

    it('is told that the client has left', async () => {
      let aborted = false;
      let cancelled;
      const handler = {
        fetch(request) {
          request.signal.addEventListener('abort', () => {
            aborted = true;
          });
          return new Promise((resolve) => {
            cancelled = new Promise((cancel) => {
              resolve(
                new Response(
                  new ReadableStream({
                    start: (controller) => controller.enqueue(Buffer.from('data: 1\n\n')),
                    cancel,
                  }),
                  { headers: TYPE },
                ),
              );
            });
          });
        },
      };
      const stream = await open(handler);
      await stream.next();
      await stream.close();
      await cancelled;
      assert.ok(aborted);
    });

    it('that answers when the client has left has its body cancelled', async () => {
      const controller = new AbortController();
      let answer;
      const opened = open(
        {
          fetch: () =>
            new Promise((resolve) => {
              answer = resolve;
            }),
        },
        { signal: controller.signal },
      );
      await new Promise(setImmediate);
      controller.abort();
      await assert.rejects(opened, { name: 'AbortError' });
      await new Promise((cancel) => answer(new Response(new ReadableStream({ cancel }))));
    });

    it('that has an error in its body ends the stream out of order', async () => {
      const body = new ReadableStream({
        start(controller) {
          controller.enqueue(Buffer.from('data: 1\n\n'));
          setImmediate(() => controller.error(Object.assign(new Error('x'), { code: 'E_X' })));
        },
      });
      const stream = await open({ fetch: () => new Response(body) });
      await stream.until(({ ended }) => ended !== null).catch(() => {});
      assert.equal(stream.ended, 'E_X');
    });

    it('without a body is an answer, too', async () => {
      const stream = await open({ fetch: () => new Response(null, { status: 204 }) });
      assert.equal(stream.status, 204);
      assert.equal(await stream.next(), null);
    });

    it('that never answers is late', () =>
      assert.rejects(open({ fetch: () => new Promise(() => {}) }, '/a', { timeout: 20 }), {
        code: 'ERR_FAN_TIMEOUT',
        message: /^No answer came in 20 ms; GET http:\/\/localhost\/a has not answered$/,
      }));

    it('that answers something else is refused', () =>
      assert.rejects(open({ fetch: () => 'x' }), { code: 'ERR_FAN_ARG', message: /Response/ }));

    it('given as a plain function: the error says what to write', () =>
      assert.rejects(
        open(() => answering('').fetch()),
        {
          code: 'ERR_FAN_ARG',
          message: /\{ fetch: handler \}/,
        },
      ));
  });

  it('without eventsource-parser the error says what to install', async () => {
    const dir = fs.mkdtempSync(path.join(os.tmpdir(), 'fanline-kit-'));
    const lib = path.join(__dirname, '..', '..', 'lib');
    fs.cpSync(lib, path.join(dir, 'lib'), { recursive: true });
    fs.writeFileSync(
      path.join(dir, 'main.js'),
      `require('./lib/testing').open(() => {}).catch((err) => process.send(err.message));`,
    );
    const child = fork(path.join(dir, 'main.js'), { execArgv: [] });
    const [message] = await once(child, 'message');
    assert.match(message, /npm install --save-dev eventsource-parser/);
    await once(child, 'exit');
    fs.rmSync(dir, { recursive: true });
  });

  it('import and require are one copy of it', async () => {
    const imported = await import('fanline/testing');
    const required = require('fanline/testing');
    assert.equal(imported.default, required);
    assert.deepEqual(Object.keys(imported).sort(), ['TestStream', 'closeAll', 'default', 'open']);
    assert.deepEqual(Object.keys(required).sort(), ['TestStream', 'closeAll', 'open']);
  });
});
