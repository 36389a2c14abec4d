'use strict';

// The nginx of docs/recipes/proxies.md in front of many: streams of one page, processes behind it, and more streams than a
// worker has connections for.

const assert = require('node:assert/strict');
const http = require('node:http');
const net = require('node:net');
const { EventSource } = require('eventsource');
const { createHub } = require('../..');
const { open } = require('../js/support/open');
const { useBrowser } = require('./support/example-page');
const { CERTIFICATE, Nginx, blocksOf, needNginx, replaced, when } = require('./support/nginx');

const [SERVER, WORKER, UPSTREAMS] = blocksOf('recipes/proxies.md', 'nginx');
const PLAIN = 'listen 127.0.0.1:$PORT;';
const LISTEN = 'listen 443 ssl http2;';
const STREAMS = 10;
const SIX = 6;

const PAGE = `<!doctype html><title>streams</title><link rel="icon" href="data:,"><script>
  const sources = Array.from({ length: ${STREAMS} }, () => new EventSource('/events'));
  const heard = sources.map((source) => new Promise((resolve) => { source.onmessage = resolve; }));
</script>`;

describe('nginx in front of many, as in docs/recipes/proxies.md', () => {
  const toClose = [];

  before(function () {
    needNginx(this);
  });
  afterEach(async () => {
    for (const it of toClose.splice(0).reverse()) await it.close();
  });

  async function start(...args) {
    const nginx = await Nginx.start(...args);
    toClose.push(nginx);
    return nginx;
  }

  /** A process of the application. */
  async function application(options = {}, port = 0) {
    const hub = createHub({ heartbeat: false, retry: 50, ...options });
    const server = http.createServer((req, res) => {
      const { pathname, searchParams: query } = new URL(req.url, 'http://localhost');
      const rooms = query.get('room') ?? 'news';
      const headers = query.has('bare') ? { 'X-Accel-Buffering': false } : {};
      if (pathname === '/events') return hub.connect(req, res, { rooms, headers });
      if (pathname === '/send') return res.end(String(hub.to(rooms).send('hello').matched));
      return res.writeHead(200, { 'Content-Type': 'text/html' }).end(PAGE);
    });
    await new Promise((resolve) => server.listen(port, '127.0.0.1', resolve));
    const stop = async () => {
      await hub.close({ grace: 0 });
      const closed = new Promise((resolve) => server.close(resolve));
      server.closeAllConnections();
      await closed;
    };
    toClose.push({ close: stop });
    return { hub, port: server.address().port, stop };
  }

  /** The page's server in front of one application. */
  const conf = (port, { tls = false, ...changes } = {}) =>
    replaced(SERVER, {
      ...CERTIFICATE,
      [LISTEN]: tls ? 'listen 127.0.0.1:$PORT ssl http2;' : PLAIN,
      '127.0.0.1:3000': `127.0.0.1:${port}`,
      ...changes,
    });

  async function reader(nginx, path) {
    const stream = await open(`http://127.0.0.1:${nginx.port}${path}`);
    toClose.push(stream);
    return stream;
  }

  describe('ten EventSources of one page in Chromium', () => {
    const own = useBrowser();
    afterEach(() => Promise.all(own.browser.contexts().map((context) => context.close())));

    async function load(changes, scheme = 'https') {
      const { hub, port } = await application();
      const nginx = await start(conf(port, { tls: true, ...changes }));
      const context = await own.browser.newContext({ ignoreHTTPSErrors: true }); // the certificate is our own
      const page = await context.newPage();
      await page.goto(`${scheme}://127.0.0.1:${nginx.port}/`);
      return { hub, page };
    }

    it('are all open over HTTP/2, and each gets its events', async () => {
      const { hub, page } = await load();
      await when(() => hub.size === STREAMS);
      hub.broadcast('hello');
      const data = await page.evaluate(async () => (await Promise.all(heard)).map((e) => e.data));
      assert.deepEqual(data, new Array(STREAMS).fill('hello'));
      assert.deepEqual(
        [...hub.clients.values()].map(({ transport }) => transport),
        new Array(STREAMS).fill('fd'),
      );
    });

    it('leave when their page does', async () => {
      const { hub, page } = await load();
      await when(() => hub.size === STREAMS);
      await page.close();
      await when(() => hub.size === 0);
    });

    it('are six without `http2` in the `listen` line', async () => {
      const { hub, page } = await load({ ' ssl http2;': ' ssl;' });
      await when(() => hub.size === SIX);
      const waits = page.evaluate(() => fetch('/').then(() => 'answered'));
      const first = await Promise.race([
        waits,
        new Promise((resolve) => setTimeout(resolve, 500, 'waits')),
      ]);
      assert.equal(first, 'waits', 'an ordinary request of the page');
      await page.evaluate(() => {
        for (const source of sources.slice(0, 5)) source.close();
      });
      assert.equal(await waits, 'answered');
    });
  });

  describe('several processes, by the page’s `upstream`', () => {
    const ROOMS = Array.from({ length: 24 }, (_, i) => `room${i}`);

    /** Three processes; `others` lets nginx go to another one when one is away. */
    async function three({ others = false } = {}) {
      const apps = [await application(), await application(), await application()];
      const ports = apps.map(({ port }, i) => [`127.0.0.1:300${i + 1}`, `127.0.0.1:${port}`]);
      const upstream = replaced(UPSTREAMS, {
        ...Object.fromEntries(ports),
        ...(others && { 'max_fails=0': 'fail_timeout=1s' }), // 10 s, unless told otherwise
      });
      const changes = {};
      if (!others)
        changes['proxy_pass http://app;'] = 'proxy_pass http://app; proxy_next_upstream off;';
      const server = conf(1, changes);
      const nginx = await start(upstream + server.slice(server.indexOf('server {\n')));
      return { apps, nginx };
    }

    const send = async (nginx, room) =>
      (await fetch(`http://127.0.0.1:${nginx.port}/send?room=${room}`)).text();

    /** A reader as a browser is one. */
    function listen(nginx, room) {
      const source = new EventSource(`http://127.0.0.1:${nginx.port}/events?room=${room}`);
      toClose.push(source);
      return source;
    }

    /** One of the three is away while its reader asks again, and comes back on the same port. */
    async function restart(options) {
      const { apps, nginx } = await three(options);
      const source = listen(nginx, 'lobby');
      await when(() => apps.some(({ hub }) => hub.size === 1));
      const home = apps.find(({ hub }) => hub.size === 1);
      let errors = 0;
      source.onerror = () => errors++;
      await home.stop();
      await when(() => errors >= 3 || apps.some(({ hub }) => hub !== home.hub && hub.size === 1));
      const back = await application({}, home.port);
      return { nginx, source, back, others: apps.filter((app) => app !== home) };
    }

    it('readers and senders of a room meet in one process, and the rooms spread over all', async () => {
      const { apps, nginx } = await three();
      for (const room of ROOMS) {
        const [one, two] = [
          await reader(nginx, `/events?room=${room}`),
          await reader(nginx, `/events?room=${room}`),
        ];
        assert.equal(await send(nginx, room), '2', room);
        assert.equal((await one.next()).data, 'hello');
        assert.equal((await two.next()).data, 'hello');
      }
      assert.equal(
        apps.reduce((sum, { hub }) => sum + hub.size, 0),
        2 * ROOMS.length,
      );
      for (const { hub } of apps) assert.ok(hub.rooms.size > 0, 'a process without a room');
    });

    it('readers of a process that restarts wait for it', async () => {
      const { nginx, back, others } = await restart();
      await when(() => back.hub.size === 1);
      assert.deepEqual(
        others.map(({ hub }) => hub.size),
        [0, 0],
      );
      assert.equal(await send(nginx, 'lobby'), '1');
    });

    it('without `max_fails=0` and `proxy_next_upstream off` they are taken to another, and its room is split', async () => {
      const { nginx, source, others } = await restart({ others: true });
      await when(() => source.readyState === EventSource.OPEN);
      assert.equal(others.filter(({ hub }) => hub.size === 1).length, 1);
      let matched = '1';
      for (const end = Date.now() + 5_000; matched === '1' && Date.now() < end; ) {
        matched = await send(nginx, 'lobby');
      }
      assert.equal(matched, '0', 'sent to the process that is back, where its reader is not');
    });
  });

  it('a stream takes two of a worker’s connections: beyond that nginx cuts streams off', async () => {
    const { hub, port } = await application();
    const main = replaced(WORKER, { 20000: '40', 'worker_rlimit_nofile 65536;': '' });
    const nginx = await start(conf(port), { main });
    const taken = await Promise.all(
      Array.from({ length: 30 }, () =>
        reader(nginx, '/events').then(
          () => true,
          () => false,
        ),
      ),
    );
    const count = taken.filter(Boolean).length;
    assert.ok(count >= 10 && count < 20, `${count} streams with 40 connections`);
    assert.equal(hub.size, count);
  });

  it('a slow reader is seen through nginx, and is not where nginx buffers', async () => {
    const MOST = 24 << 20; // what is sent: more than all sockets between take, less than nginx’s files
    async function untilSlow(path) {
      const { hub, port } = await application({ limits: { queueBytes: 256 << 10 } });
      const nginx = await start(conf(port));
      const socket = net.connect(nginx.port, '127.0.0.1').pause();
      toClose.push({ close: () => socket.destroy() });
      socket.on('error', () => {}).write(`GET ${path} HTTP/1.1\r\nHost: x\r\n\r\n`);
      await when(() => hub.size === 1);
      const [client] = hub.clients.values();
      const event = 'x'.repeat(128 << 10);
      let sent = 0;
      while (client.closed === null && sent < MOST) {
        sent += event.length;
        client.send(event);
        await Promise.race([client.drain(), new Promise((resolve) => setTimeout(resolve, 200))]);
      }
      return { sent, closed: client.closed };
    }
    const seen = await untilSlow('/events');
    assert.equal(seen.closed, 'slow');
    const hidden = await untilSlow('/events?bare');
    assert.deepEqual(hidden, { sent: MOST, closed: null });
  });
});
