'use strict';

// docs/recipes/troubleshooting.md: each symptom made, its curl line run with the real curl, and run again when it is cured.

const assert = require('node:assert/strict');
const { spawn } = require('node:child_process');
const { EventEmitter } = require('node:events');
const http = require('node:http');
const { setImmediate: turn } = require('node:timers/promises');
const express = require('express');
const { when } = require('../js/support/stage');
const { compressingProxy } = require('./support/compressing-proxy');
const { Nginx, needNginx } = require('./support/nginx');
const { CUT, ENDED, OPEN, run, stage } = require('./support/troubleshooting');

describe('docs/recipes/troubleshooting.md', () => {
  const { toClose, hubOf, listen, source, isClosed } = stage();

  describe('It never opens', () => {
    const SPA = (_req, res) => res.type('html').send('<!doctype html><title>App</title>');

    it('where the page of an application answers first: text/html, and an EventSource gives up', async () => {
      const app = express().use(SPA).get('/events', hubOf().handler({}));
      const { port } = await listen(app);
      const { out } = await run('It never opens', { port });
      assert.match(out, /^HTTP\/1.1 200 OK\n[\s\S]*^Content-Type: text\/html/m);
      await isClosed(source(port));
    });

    it('where it redirects to a log-in page: an EventSource follows, and gives up there', async () => {
      const app = express()
        .get('/events', (_req, res) => res.redirect('/login'))
        .use(SPA);
      const { port } = await listen(app);
      const { out } = await run('It never opens', { port });
      assert.match(out, /^HTTP\/1.1 302 Found$/m);
      await isClosed(source(port));
    });

    it('is cured by the route in front of it', async () => {
      const app = express().get('/events', hubOf().handler({})).use(SPA);
      const { code, out } = await run('It never opens', await listen(app));
      assert.equal(code, OPEN);
      assert.match(out, /^Content-Type: text\/event-stream$/m);
    });
  });

  describe('It closes at once', () => {
    it('where the handler ends the response: exit code 0 behind a `retry` line, reason `server`', async () => {
      const hub = hubOf();
      const reasons = [];
      hub.on('disconnect', (_client, reason) => reasons.push(reason));
      const server = await listen((req, res) => {
        hub.connect(req, res);
        res.end();
      });
      const { code, out } = await run('It closes at once', server);
      assert.equal(code, ENDED);
      assert.match(out, /^retry: 50$/m);
      assert.deepEqual(reasons, ['server']);
    });

    it('where the hub is full: the same, and `stats().refused`', async () => {
      const hub = hubOf({ limits: { clients: 1 } });
      const server = await listen(hub.handler({}));
      source(server.port);
      await when(() => hub.size === 1);
      const { code, out } = await run('It closes at once', server);
      assert.equal(code, ENDED);
      assert.match(out, /^retry: \d+$/m);
      assert.deepEqual(hub.stats().refused, { capacity: 1 });
    });

    it('is cured by nothing behind connect()', async () => {
      const { code } = await run('It closes at once', await listen(hubOf().handler({})));
      assert.equal(code, OPEN);
    });
  });

  describe('Nothing arrives', () => {
    function app(roomOf) {
      const hub = hubOf();
      return express()
        .get(
          '/events',
          hub.handler((req) => ({ rooms: roomOf(req.query.room) })),
        )
        .post('/send', (_req, res) => res.json({ matched: hub.to('news').send('hello').matched }));
    }

    it('where the room has another name: `matched` is 0', async () => {
      const server = await listen(app((room) => room.toUpperCase()));
      const { out } = await run('Nothing arrives', { ...server, max: 0.7 });
      assert.match(out, /\{"matched":0\}/);
      assert.doesNotMatch(out, /^data:/m);
    });

    it('is cured by the same name', async () => {
      const server = await listen(app((room) => room));
      const { out } = await run('Nothing arrives', { ...server, max: 0.7 });
      assert.match(out, /\{"matched":1\}/);
      assert.match(out, /^data: hello$/m);
    });
  });

  it('curl shows it, the page does not: events with a name are not for `onmessage`', async () => {
    const hub = hubOf();
    const handler = hub.handler({}, (client) => client.send('hello', { event: 'news' }));
    const server = await listen(handler);
    const { out } = await run('curl shows it, the page does not', server);
    assert.match(out, /^event: news\ndata: hello$/m);
    const own = source(server.port);
    const seen = [];
    own.onmessage = () => seen.push('onmessage');
    own.addEventListener('news', () => seen.push('news'));
    await when(() => seen.length > 0);
    assert.deepEqual(seen, ['news']);
  });

  describe('It arrives late, or in bursts', () => {
    /** How late the first event is, in seconds: its data is when it was sent. null: it is not there. */
    async function lateness(port) {
      const { out } = await run('It arrives late, or in bursts', { port, max: 0.7 });
      const found = /^([\d.]+) data: (\d+)$/m.exec(out);
      return found && Number(found[1]) - Number(found[2]) / 1_000;
    }
    const LONG = 400; // ms

    it('where JavaScript does not let go: at the end of the stretch', async () => {
      const handler = hubOf().handler({}, (client) => {
        client.send(Date.now());
        for (const end = Date.now() + LONG; Date.now() < end; );
      });
      const late = await lateness((await listen(handler)).port);
      assert.ok(late >= LONG / 1_000, `${late} s`);
    });

    it('is cured by a turn in between', async () => {
      const handler = hubOf().handler({}, async (client) => {
        client.send(Date.now());
        for (const end = Date.now() + LONG; Date.now() < end; ) {
          await turn();
          for (const piece = Date.now() + 10; Date.now() < piece; );
        }
      });
      const late = await lateness((await listen(handler)).port);
      assert.ok(late < 0.8 * (LONG / 1_000), `${late} s`);
    });

    it('from a proxy that compresses what has lost its `no-transform`, not from the application', async () => {
      const headers = { 'Cache-Control': 'no-cache' };
      const server = await listen(
        hubOf().handler({ headers }, (client) => client.send(Date.now())),
      );
      const proxy = await compressingProxy(server.port);
      toClose.push(() => proxy.close());
      assert.ok((await lateness(server.port)) < 0.4);
      assert.equal(await lateness(proxy.port), null);
    });

    it('… and not where the header is as it was', async () => {
      const server = await listen(hubOf().handler({}, (client) => client.send(Date.now())));
      const proxy = await compressingProxy(server.port);
      toClose.push(() => proxy.close());
      assert.ok((await lateness(proxy.port)) < 0.4);
    });
  });

  describe('behind nginx', () => {
    before(function () {
      needNginx(this);
    });

    async function proxy(port, directives) {
      const nginx = await Nginx.start(`server {
        listen 127.0.0.1:$PORT;
        location / { proxy_pass http://127.0.0.1:${port}; ${directives} }
      }`);
      toClose.push(() => nginx.close());
      return nginx.port;
    }

    const TITLE = 'It works here, and not behind the proxy';

    it('It works here, and not behind the proxy: not even the headers come out of one that buffers', async () => {
      const { port } = await listen(hubOf().handler({}, (client) => client.send('hello')));
      const bad = await proxy(port, 'proxy_ignore_headers X-Accel-Buffering;');
      const { code, out } = await run(TITLE, { port, proxy: bad });
      assert.equal(code, OPEN);
      assert.equal(out.match(/^data: hello$/gm).length, 1);
      assert.equal(out.match(/^HTTP\/1.1 200 OK$/gm).length, 1);
      const good = await run(TITLE, { port, proxy: await proxy(port, '') });
      assert.equal(good.out.match(/^data: hello$/gm).length, 2);
    });

    it('… and 502 when nothing listens where it looks', async () => {
      const { port } = await listen(hubOf().handler({}));
      const { out } = await run(TITLE, { port, proxy: await proxy(1, '') });
      assert.match(out, /^HTTP\/1.1 502 Bad Gateway$/m);
    });

    it('It breaks off at regular times: a silent stream is cut after proxy_read_timeout, one with heartbeats is not', async () => {
      const [silent, beating] = [hubOf(), hubOf({ heartbeat: 300 })];
      const line = async (hub) => {
        const { port } = await listen(hub.handler({}));
        const where = { proxy: await proxy(port, 'proxy_read_timeout 1s;'), ms: 2_500 };
        return run('It breaks off at regular times', where);
      };
      const [cut, open] = await Promise.all([line(silent), line(beating)]);
      assert.equal(cut.code, CUT);
      assert.match(cut.err, /real\s+0m1\.\d+s/);
      assert.equal(open.code, null, 'it was stopped, and not cut');
    });
  });

  describe("Node's own timeouts", () => {
    const SHORT = { requestTimeout: 300, headersTimeout: 200, keepAliveTimeout: 200 };
    async function listenShort(listener) {
      const options = { ...SHORT, connectionsCheckingInterval: 50 };
      const server = http.createServer(options, listener);
      server.timeout = 300;
      await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
      toClose.push(() => {
        server.close();
        server.closeAllConnections();
      });
      return server.address();
    }

    for (const transport of ['auto', 'relay']) {
      it(`end no stream, \`server.timeout\` included: ${transport}`, async () => {
        const { port } = await listenShort(hubOf().handler({ transport }));
        const { code } = await run("Node's own timeouts", { port, max: 0.9 });
        assert.equal(code, OPEN);
      });
    }

    it('`server.timeout` ends what is written by hand', async () => {
      const { port } = await listenShort((_req, res) => {
        res.writeHead(200, { 'Content-Type': 'text/event-stream' }).write('retry: 50\n');
      });
      const { code } = await run("Node's own timeouts", { port, max: 0.9 });
      assert.equal(code, CUT);
    });
  });

  describe('Memory grows', () => {
    function app(takeOff) {
      const hub = hubOf();
      const news = new EventEmitter().setMaxListeners(0);
      return express()
        .get(
          '/events',
          hub.handler({}, (client) => {
            const tell = (text) => client.send(text);
            news.on('news', tell);
            if (takeOff) client.on('close', () => news.off('news', tell));
          }),
        )
        .get('/counters', (_req, res) =>
          res.json({ clients: hub.size, listeners: news.listenerCount('news') }),
        );
    }

    it('by a listener for each connection that nobody takes off, and not when `close` does', async () => {
      const left = await run('Memory grows', await listen(app(false)));
      assert.match(left.out, /\{"clients":0,"listeners":20\}/);
      const cured = await run('Memory grows', await listen(app(true)));
      assert.match(cured.out, /\{"clients":0,"listeners":0\}/);
    });

    it('a slow reader holds no more than its queue: it is ended', async () => {
      const queueBytes = 256 << 10;
      const hub = hubOf({ limits: { queueBytes } });
      const server = await listen(hub.handler({ rooms: 'flood' }));
      const curl = spawn('curl', ['-sN', '--limit-rate', '1k', '-o', '/dev/null', server.url]);
      toClose.push(() => curl.kill());
      await when(() => hub.size === 1);
      let most = 0;
      const event = 'x'.repeat(16 << 10); // less than a stretch that waits for readers
      while (hub.size === 1) {
        hub.to('flood').send(event);
        most = Math.max(most, hub.stats().bufferedBytes);
        await new Promise((resolve) => setTimeout(resolve, 2));
      }
      assert.ok(most <= 2 * queueBytes, `${most} bytes`);
      assert.equal(hub.stats().disconnects.slow, 1);
    });
  });
});
