'use strict';

// Ten streams of one page over one connection. With HTTP/1.1 a browser opens six to a host, for all of its tabs together.

const assert = require('node:assert/strict');
const http2 = require('node:http2');
const https = require('node:https');
const { createHub } = require('../..');
const { TLS } = require('../js/support/serve');
const { eventually } = require('./support/app');
const { launch, missing } = require('./support/browser');

const STREAMS = 10;
const SIX = 6; // connections to a host over HTTP/1.1
const RETURN = 10_000; // ms
const ROOMS = Array.from({ length: STREAMS }, (_, i) => `room${i}`);

// Its only script: an EventSource for each room, and what it has received.
const PAGE = `<!doctype html><title>streams</title><link rel="icon" href="data:,"><script>
  const streams = ${JSON.stringify(ROOMS)}.map((room) => {
    const source = new EventSource('/events/' + room);
    const stream = { source, opened: 0, data: [] };
    source.onopen = () => stream.opened++;
    source.onmessage = ({ data }) => stream.data.push(data);
    return stream;
  });
</script>`;

describe('ten EventSources of one page', () => {
  let browser;
  let hub;
  let server;
  let sockets;

  before(async function () {
    const lacks = missing();
    if (lacks) {
      const advice = `the browser tests need ${lacks}. Install with: npm run test:setup`;
      if (process.env.CI === 'true') throw new Error(advice);
      console.log(`  not run: ${advice}`);
      this.skip();
    }
    browser = await launch();
  });
  after(() => browser?.close());

  afterEach(async () => {
    await Promise.all(browser.contexts().map((context) => context.close()));
    await hub.close({ grace: 0 });
    for (const socket of sockets) socket.destroy();
    await new Promise((resolve) => server.close(resolve));
  });

  function answer(req, res) {
    const [, kind, room] = req.url.split('/');
    if (kind === 'events') hub.connect(req, res, { rooms: room });
    else res.writeHead(200, { 'Content-Type': 'text/html; charset=utf-8' }).end(PAGE);
  }

  /** A page of its own, from a server made by `create`. */
  async function load(create) {
    hub = createHub({ heartbeat: false, retry: { min: 50, max: 100 } });
    sockets = new Set();
    server = create(TLS, answer);
    server.on('secureConnection', (socket) => sockets.add(socket));
    await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
    const context = await browser.newContext({ ignoreHTTPSErrors: true }); // the certificate is our own
    const page = await context.newPage();
    await page.goto(`https://127.0.0.1:${server.address().port}/`);
    return page;
  }

  const open = (page) =>
    page.evaluate(() => streams.filter(({ source }) => source.readyState === 1).length);
  const received = (page) => page.evaluate(() => streams.map(({ data }) => data));

  it('are open at once over HTTP/2, on one connection, each with the events of its room', async () => {
    const page = await load(http2.createSecureServer);
    await eventually(() => open(page), STREAMS);
    assert.equal(hub.size, STREAMS);
    assert.equal(sockets.size, 1);
    assert.deepEqual(hub.stats().relay, { http2: STREAMS });
    for (let i = 0; i < 20; i++) {
      for (const room of ROOMS) assert.equal(hub.to(room).send(`${room} ${i}`).matched, 1);
    }
    assert.equal(hub.broadcast('all').matched, STREAMS);
    const expected = ROOMS.map((room) => [
      ...Array.from({ length: 20 }, (_, i) => `${room} ${i}`),
      'all',
    ]);
    await eventually(() => received(page), expected);
  });

  it('come back together when the connection breaks, and miss nothing', async () => {
    const page = await load(http2.createSecureServer);
    await eventually(() => open(page), STREAMS);
    for (const room of ROOMS) hub.to(room).send('before');
    await eventually(
      () => received(page),
      ROOMS.map(() => ['before']),
    );
    for (const socket of sockets) socket.destroy();
    for (const room of ROOMS) hub.to(room).send('meanwhile');
    const opened = () => page.evaluate(() => streams.map((stream) => stream.opened));
    await eventually(
      opened,
      ROOMS.map(() => 2),
      RETURN,
    );
    assert.equal(sockets.size, 2);
    for (const room of ROOMS) hub.to(room).send('after');
    await eventually(
      () => received(page),
      ROOMS.map(() => ['before', 'meanwhile', 'after']),
    );
  });

  it('are gone from the hub one by one as the page closes them, and all when it leaves', async () => {
    const page = await load(http2.createSecureServer);
    await eventually(() => open(page), STREAMS);
    await page.evaluate(() => streams[3].source.close());
    await eventually(() => hub.size, STREAMS - 1);
    assert.equal(hub.to(ROOMS[3]).size, 0);
    assert.equal(hub.to(ROOMS[4]).size, 1);
    await page.close();
    await eventually(() => hub.size, 0);
  });

  it('are six over HTTP/1.1: the others wait', async () => {
    const page = await load(https.createServer);
    await eventually(() => hub.size, SIX);
    for (const room of ROOMS) hub.to(room).send('x');
    await eventually(async () => (await received(page)).flat().length, SIX);
    assert.equal(await open(page), SIX);
    await page.evaluate(() => streams[0].source.close());
    await eventually(() => hub.to(ROOMS[0]).size, 0);
    await eventually(() => hub.size, SIX); // the seventh has taken its place
  });
});
