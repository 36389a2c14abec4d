'use strict';

// The nginx of docs/recipes/proxies.md, as the page shows it: Debian's nginx with the page's blocks in front of a hub. Ports and
// the certificate are put in, and times are shortened; where a test takes a line away, it shows what the line is for.

const assert = require('node:assert/strict');
const http = require('node:http');
const { EventSource } = require('eventsource');
const { createHub } = require('../..');
const { open } = require('../js/support/open');
const { serve } = require('../js/support/serve');
const { CERTIFICATE, Nginx, blocksOf, needNginx, replaced, when } = require('./support/nginx');

const [PAGE] = blocksOf('recipes/proxies.md', 'nginx');
const AT_ONCE = 300; // ms within which what nobody holds back has arrived, however busy the machine
const HELD = 400; // ms after which what has not arrived is held back
const SOON = 1_000; // ms in which a reader that has left is noticed; 1 to 2 ms as a rule
const LISTEN = 'listen 443 ssl http2;';
const VERSION = 'proxy_http_version 1.1; ';

/** The page's block for this test: over TLS and HTTP/2, or as plain HTTP/1.1. */
function confOf(port, { tls = false, ...changes } = {}) {
  const listen = tls ? 'listen 127.0.0.1:$PORT ssl http2;' : 'listen 127.0.0.1:$PORT;';
  return replaced(PAGE, {
    ...CERTIFICATE,
    [LISTEN]: listen,
    '127.0.0.1:3000': `127.0.0.1:${port}`,
    ...changes,
  });
}

describe('nginx as in docs/recipes/proxies.md', () => {
  let hub;
  let app;
  let toClose;
  let left; // { reason, at } of each client that has left
  let sockets; // connections that the application was asked on

  before(function () {
    needNginx(this);
  });

  beforeEach(async () => {
    toClose = [];
    left = [];
    sockets = new Set();
    hub = createHub({ heartbeat: false, retry: 50 });
    hub.on('disconnect', (_client, reason) => left.push({ reason, at: performance.now() }));
    app = await serve((req, res) => {
      sockets.add(req.socket);
      const { pathname, searchParams: query } = new URL(req.url, 'http://localhost');
      if (pathname !== '/events') return res.end('ordinary');
      const headers = query.has('bare') ? { 'X-Accel-Buffering': false } : {};
      const heartbeat = query.has('heartbeat') ? Number(query.get('heartbeat')) : false;
      return hub.connect(req, res, { rooms: 'news', headers, heartbeat });
    });
  });
  afterEach(async () => {
    await hub.close({ grace: 0 });
    for (const it of toClose.reverse()) await it.close();
    await app.close();
  });

  async function proxy(options, more) {
    const nginx = await Nginx.start(confOf(app.port, options), more);
    toClose.push(nginx);
    return nginx;
  }

  async function reader(nginx, path = '/events', options = {}) {
    const { tls = false, ...rest } = options;
    const url = `${tls ? 'https' : 'http'}://127.0.0.1:${nginx.port}${path}`;
    const stream = await open(url, { ...(tls && { http2: true }), ...rest });
    toClose.push(stream);
    return stream;
  }

  /** Sends an event of so many bytes; answers what has come of it after a moment: 'whole', or how much. */
  async function arrives(stream, size, ms = AT_ONCE) {
    const before = stream.text.length;
    const { written } = await hub.to('news').deliver('x'.repeat(size));
    assert.equal(written, 1);
    try {
      const { data } = await stream.next(ms);
      assert.equal(data.length, size);
      return 'whole';
    } catch (err) {
      assert.equal(err.code, 'ERR_FAN_TIMEOUT');
      return stream.text.length - before;
    }
  }

  const SIZES = [100, 3_000, 5_000, 9_000, 70_000];

  it('events of every size arrive at once over TLS and HTTP/2, with nginx’s buffering left on', async () => {
    const stream = await reader(await proxy({ tls: true }), '/events', { tls: true });
    for (const size of SIZES) assert.equal(await arrives(stream, size), 'whole', `${size} bytes`);
    assert.equal(stream.headers['x-accel-buffering'], undefined, 'nginx keeps it to itself');
    assert.equal(stream.headers['cache-control'], 'no-cache, no-transform');
  });

  it('TLS and HTTP/2 end at nginx: the hub writes to the descriptor, past Node', async () => {
    await reader(await proxy({ tls: true }), '/events', { tls: true });
    const [client] = hub.clients.values();
    assert.equal(client.transport, 'fd');
    assert.deepEqual(hub.stats().relay, {});
  });

  it('events arrive at once over HTTP/1.0 to the application, too, because of X-Accel-Buffering', async () => {
    const stream = await reader(await proxy({ [VERSION]: '' }));
    for (const size of SIZES) assert.equal(await arrives(stream, size), 'whole', `${size} bytes`);
  });

  it('without X-Accel-Buffering, over HTTP/1.0, nothing arrives, not even the headers, until the stream ends', async () => {
    const nginx = await proxy({ [VERSION]: '' });
    const answer = reader(nginx, '/events?bare');
    await when(() => hub.size === 1);
    await hub.to('news').deliver('held back');
    const held = Symbol('held');
    const timer = new Promise((resolve) => setTimeout(resolve, HELD, held));
    assert.equal(await Promise.race([answer, timer]), held);
    hub.to('news').disconnect();
    const stream = await answer;
    assert.equal((await stream.next()).data, 'held back');
    assert.equal(await stream.end(), 'end');
  });

  it('without X-Accel-Buffering, over HTTP/1.1, a small event arrives, and the tail of a larger one with the next', async () => {
    const stream = await reader(await proxy(), '/events?bare');
    assert.equal(await arrives(stream, 100), 'whole');
    const part = await arrives(stream, 5_000, HELD);
    assert.ok(part > 0 && part < 5_000, `${part} of 5,000 bytes`);
    hub.to('news').send('next');
    assert.deepEqual(
      (await stream.take(2)).map(({ data }) => data.length),
      [5_000, 4],
    );
  });

  it('`proxy_ignore_headers X-Accel-Buffering` has the same effect as taking the header away', async () => {
    const ignored = `${VERSION}proxy_ignore_headers X-Accel-Buffering; `;
    const stream = await reader(await proxy({ [VERSION]: ignored }));
    const part = await arrives(stream, 5_000, HELD);
    assert.ok(part > 0 && part < 5_000, `${part} of 5,000 bytes`);
  });

  for (const [name, version] of [
    ['1.0', ''],
    ['1.1', VERSION],
  ]) {
    it(`\`proxy_buffering off\` does without the header, over HTTP/${name}`, async () => {
      const nginx = await proxy({ [VERSION]: `${version}proxy_buffering off; ` });
      const stream = await reader(nginx, '/events?bare');
      for (const size of SIZES) assert.equal(await arrives(stream, size), 'whole', `${size} bytes`);
    });
  }

  for (const tls of [true, false]) {
    it(`a reader that leaves is noticed at once: ${tls ? 'one stream of several over HTTP/2' : 'HTTP/1.1'}`, async () => {
      const nginx = await proxy({ tls });
      const [leaving, staying] = [
        await reader(nginx, '/events', { tls }),
        await reader(nginx, '/events', { tls }),
      ];
      const begun = performance.now();
      leaving.close();
      await when(() => left.length === 1, 'the reader has left', SOON);
      assert.equal(left[0].reason, 'client');
      assert.ok(left[0].at - begun < SOON);
      assert.equal(hub.size, 1);
      assert.equal(await arrives(staying, 10), 'whole');
    });
  }

  it('… unless `proxy_ignore_client_abort` is on: then nginx goes on reading for nobody', async () => {
    const nginx = await proxy({ [VERSION]: `${VERSION}proxy_ignore_client_abort on; ` });
    const stream = await reader(nginx);
    await stream.close();
    await assert.rejects(when(() => hub.size === 0, 'the reader has left', HELD));
    assert.equal((await hub.to('news').deliver('for nobody')).written, 1);
  });

  it('a quiet stream outlives proxy_read_timeout by heartbeats, and is cut without them', async () => {
    const nginx = await proxy({ 'proxy_read_timeout 60s': 'proxy_read_timeout 1s' });
    const beating = await reader(nginx, '/events?heartbeat=300');
    const silent = await reader(nginx);
    assert.notEqual(await silent.end(3_000), 'end'); // cut, not ended in order
    assert.ok(beating.comments.length >= 2, `${beating.comments.length} heartbeats`);
    assert.equal(beating.ended, null);
    await beating.until(({ comments }) => comments.length >= 5); // 1.5 s
    assert.equal(await arrives(beating, 10), 'whole');
  });

  it('what was missed while nginx was restarted is replayed through it', async () => {
    const nginx = await proxy();
    const source = new EventSource(`http://127.0.0.1:${nginx.port}/events`);
    toClose.push(source);
    const seen = [];
    source.onmessage = ({ data }) => seen.push(data);
    await when(() => hub.size === 1);
    hub.to('news').send('before');
    await when(() => seen.length === 1);
    await nginx.stop();
    await when(() => hub.size === 0);
    hub.to('news').send('meanwhile');
    await nginx.restart();
    await when(() => hub.size === 1);
    hub.to('news').send('after');
    await when(() => seen.length === 3);
    assert.deepEqual(seen, ['before', 'meanwhile', 'after']);
    assert.equal(hub.stats().resets, 0);
  });

  describe('while the application is away', () => {
    /** An EventSource whose application goes away for two attempts at least, and comes back. */
    async function away(changes) {
      const nginx = await proxy(changes);
      const source = new EventSource(`http://127.0.0.1:${nginx.port}/events`);
      toClose.push(source);
      await when(() => hub.size === 1);
      let errors = 0;
      source.onerror = () => errors++;
      const { port } = app;
      await app.close();
      await when(() => errors >= 3 || source.readyState === EventSource.CLOSED);
      const back = http.createServer((req, res) => hub.connect(req, res, { rooms: 'news' }));
      await new Promise((resolve) => back.listen(port, '127.0.0.1', resolve));
      const close = () => {
        back.close();
        back.closeAllConnections();
      };
      toClose.push({ close });
      return source;
    }

    it('`@restarting` lets EventSources come back', async () => {
      const source = await away({});
      await when(() => source.readyState === EventSource.OPEN);
      assert.equal(hub.size, 1);
    });

    it('without it they are given a 502, and stay away for good', async () => {
      const source = await away({ 'error_page 502 504 = @restarting;': '' });
      assert.equal(source.readyState, EventSource.CLOSED);
    });
  });

  it('hub.close() ends streams in order through nginx', async () => {
    const stream = await reader(await proxy({ tls: true }), '/events', { tls: true });
    const closed = hub.close({ grace: 500 });
    assert.equal(await stream.end(), 'end');
    assert.deepEqual(await closed, { ended: 1, cut: 0 });
  });

  it('ordinary requests share a connection, and a stream gives its own back after an end in order', async () => {
    const nginx = await proxy();
    const ask = async () => (await fetch(`http://127.0.0.1:${nginx.port}/`)).text();
    for (let i = 0; i < 5; i++) assert.equal(await ask(), 'ordinary');
    assert.equal(sockets.size, 1);
    const stream = await reader(nginx);
    assert.equal(sockets.size, 1, 'the stream has taken the idle one');
    await ask();
    assert.equal(sockets.size, 2);
    hub.to('news').disconnect();
    assert.equal(await stream.end(), 'end');
    await when(() => hub.size === 0);
    for (let i = 0; i < 5; i++) await ask();
    assert.equal(sockets.size, 2);
  });

  it('without the two lines of `Connection` and version each request has a connection of its own', async () => {
    const nginx = await proxy({ [VERSION]: '', 'proxy_set_header Connection "";': '' });
    for (let i = 0; i < 5; i++) await (await fetch(`http://127.0.0.1:${nginx.port}/`)).text();
    assert.equal(sockets.size, 5);
  });
});
