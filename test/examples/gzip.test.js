'use strict';

// What compresses on the way: nginx, and a proxy with the package `compression`, which obeys `no-transform` and
// flushes nothing by itself. docs/recipes/proxies.md has the table.

const assert = require('node:assert/strict');
const compression = require('compression');
const express = require('express');
const { createHub } = require('../..');
const { open } = require('../js/support/open');
const { serve } = require('../js/support/serve');
const { compressingProxy } = require('./support/compressing-proxy');
const { Nginx, blocksOf, needNginx, replaced, when } = require('./support/nginx');

const [PAGE] = blocksOf('recipes/proxies.md', 'nginx');
const GZIP = 'gzip on; gzip_proxied any; gzip_min_length 0;';
const TYPES = `${GZIP} gzip_types text/event-stream;`;
const AT_ONCE = 300; // ms within which what nobody holds back has arrived
const HELD = 400; // ms after which what has not arrived is held back
const GZIPPED = { 'Accept-Encoding': 'gzip' };

describe('behind what compresses', () => {
  let hub;
  let app;
  let toClose;

  beforeEach(async () => {
    toClose = [];
    hub = createHub({ heartbeat: false });
    app = await serve((req, res) => {
      const { searchParams: query } = new URL(req.url, 'http://localhost');
      const headers = {};
      if (query.has('bare')) headers['X-Accel-Buffering'] = false;
      if (query.has('transform')) headers['Cache-Control'] = 'no-cache';
      hub.connect(req, res, { rooms: 'news', headers });
    });
  });
  afterEach(async () => {
    await hub.close({ grace: 0 });
    for (const it of toClose.reverse()) await it.close();
    await app.close();
  });

  async function reader({ port }, path) {
    const stream = await open(`http://127.0.0.1:${port}${path}`, { headers: GZIPPED });
    toClose.push(stream);
    return stream;
  }

  /** Three events, each sent when the one before it has arrived. */
  async function eachArrives(stream) {
    for (const data of ['one', 'two', 'x'.repeat(9_000)]) {
      hub.to('news').send(data);
      assert.equal((await stream.next(AT_ONCE)).data, data);
    }
  }

  async function isHeldBack(stream) {
    await hub.to('news').deliver('one');
    await assert.rejects(stream.next(HELD), { code: 'ERR_FAN_TIMEOUT' });
  }

  describe('nginx', () => {
    before(function () {
      needNginx(this);
    });

    async function nginx(gzip) {
      const server = replaced(PAGE.slice(PAGE.indexOf('server {\n')), {
        'listen 443 ssl http2;': `listen 127.0.0.1:$PORT; ${gzip}`,
        'ssl_certificate     /etc/ssl/example.com.crt;': '',
        'ssl_certificate_key /etc/ssl/example.com.key;': '',
        'http://app': `http://127.0.0.1:${app.port}`,
      });
      const proxy = await Nginx.start(server);
      toClose.push(proxy);
      return proxy;
    }

    it('`gzip on` leaves event streams alone', async () => {
      const stream = await reader(await nginx(GZIP), '/events');
      assert.equal(stream.headers['content-encoding'], undefined);
      await eachArrives(stream);
    });

    it('with `gzip_types text/event-stream` each event is compressed and arrives at once', async () => {
      const stream = await reader(await nginx(TYPES), '/events');
      assert.equal(stream.headers['content-encoding'], 'gzip');
      assert.match(stream.headers['cache-control'], /no-transform/);
      await eachArrives(stream);
    });

    it('… and without X-Accel-Buffering not even the headers arrive until the stream ends', async () => {
      const answer = reader(await nginx(TYPES), '/events?bare');
      await when(() => hub.size === 1);
      await hub.to('news').deliver('one');
      const held = new Promise((resolve) => setTimeout(resolve, HELD, 'held'));
      assert.equal(await Promise.race([answer, held]), 'held');
      hub.to('news').disconnect();
      assert.equal((await (await answer).next()).data, 'one');
    });

    it('… where `proxy_buffering off` helps as well', async () => {
      const stream = await reader(await nginx(`${TYPES} proxy_buffering off;`), '/events?bare');
      assert.equal(stream.headers['content-encoding'], 'gzip');
      await eachArrives(stream);
    });
  });

  describe('a proxy that compresses what it may, and does not flush', () => {
    async function proxy() {
      const server = await compressingProxy(app.port);
      toClose.push(server);
      return server;
    }

    it('leaves streams alone because of `no-transform`: each event arrives at once', async () => {
      const stream = await reader(await proxy(), '/events');
      assert.equal(stream.headers['content-encoding'], undefined);
      await eachArrives(stream);
    });

    it('holds events in its compressor where `Cache-Control` has lost it, until the stream ends', async () => {
      const stream = await reader(await proxy(), '/events?transform');
      assert.equal(stream.headers['content-encoding'], 'gzip');
      await isHeldBack(stream);
      hub.to('news').disconnect();
      assert.equal((await stream.next()).data, 'one');
    });
  });

  it('compression() in the application itself respects `no-transform`', async () => {
    const inside = express();
    inside.use(compression());
    inside.get('/events', hub.handler({ rooms: 'news' }));
    const server = await serve(inside);
    toClose.push(server);
    const stream = await reader(server, '/events');
    assert.equal(stream.headers['content-encoding'], undefined);
    await eachArrives(stream);
  });
});
