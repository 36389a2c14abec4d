'use strict';

// hub.close(): who is told what, and when; what ends, in which order; and that neither the clock nor who leaves meanwhile
// changes that. What it means on each transport is in suite/closing.

const assert = require('node:assert/strict');
const { once } = require('node:events');
const http = require('node:http');
const { setTimeout: sleep } = require('node:timers/promises');
const { createHub } = require('fanline');
const { open } = require('../js/support/open');
const { connect2, open2 } = require('../js/support/open-h2');
const { Stage, when } = require('../js/support/stage');

const COUNT = 40;
const LARGE = 'x'.repeat(100_000);

describe('hub.close', () => {
  let hub;
  let stage;

  async function start(options) {
    hub = createHub({ heartbeat: false, ...options });
    stage = await Stage.on(hub);
  }
  afterEach(async () => {
    await hub.close({ grace: 0 });
    await stage.close();
  });

  const connectAll = (count) => Promise.all(Array.from({ length: count }, () => stage.connect()));

  it('tells everybody at once, before any stream ends, each another time from the hub’s range', async () => {
    await start({ retry: { min: 20_000, max: 40_000 } });
    const all = await connectAll(COUNT);
    hub.close({ grace: 60_000 });
    const told = ({ stream }) => stream.text.split('retry: ').length - 1 === 2;
    await Promise.all(all.map((it) => it.stream.until(() => told(it))));
    assert.ok(hub.size >= COUNT - 1, `${COUNT - hub.size} have ended`);
    const times = all.map(({ stream }) => stream.retry);
    for (const ms of times) assert.ok(ms >= 20_000 && ms <= 40_000, `${ms}`);
    assert.ok(new Set(times).size > COUNT / 2, `${times}`);
    for (const { stream } of all) stream.close();
  });

  it('a hub without `retry` tells nobody on its streams, and newcomers all the same', async () => {
    await start({ retry: false });
    const { stream } = await stage.connect();
    await hub.close({ grace: 10 });
    assert.equal(await stream.end(), 'end');
    assert.doesNotMatch(stream.text, /retry/);
    const newcomer = await stage.connect();
    assert.equal(newcomer.client.closed, 'shutdown');
    assert.match(newcomer.stream.text, /^retry: \d+\n$/);
  });

  it('ends the oldest first, spread evenly over the grace', async () => {
    await start();
    const clients = [];
    for (let n = 0; n < COUNT; n++) clients.push((await stage.connect()).client);
    const ends = [];
    hub.on('disconnect', (client) => ends.push({ client, at: performance.now() }));
    const begun = performance.now();
    assert.deepEqual(await hub.close({ grace: 1_000 }), { ended: COUNT, cut: 0 });
    assert.deepEqual(
      ends.map(({ client }) => clients.indexOf(client)),
      clients.map((_, i) => i),
    );
    // Each in its time or, on a busy machine, later; never earlier.
    for (const [i, { at }] of ends.entries()) {
      assert.ok(at - begun >= (800 * i) / COUNT - 5, `${i} after ${at - begun} ms`);
    }
  });

  for (const transport of ['auto', 'relay']) {
    it(`is over once when called as the last client leaves, which it has not ended (${transport})`, async () => {
      await start({ transport });
      const { client, stream } = await stage.connect();
      const closed = once(hub, 'disconnect').then(() => hub.close());
      hub.once('disconnect', () => hub.close());
      client.once('close', () => hub.close());
      hub.to('nobody').deliver('x');
      stream.close();
      assert.deepEqual(await closed, { ended: 0, cut: 0 });
      await sleep(1_100); // behind the time for last words: what is thrown there fails the run
    });
  }

  it('is over as soon as the last one has gone, whatever the grace', async () => {
    await start();
    const all = await connectAll(3);
    const closed = hub.close({ grace: 60_000 });
    for (const { stream } of all) stream.close();
    const { ended, cut } = await closed;
    assert.deepEqual([ended, cut], [3, 0]);
  });

  it('without clients is over at once', async () => {
    await start();
    assert.deepEqual(await hub.close({ grace: 60_000 }), { ended: 0, cut: 0 });
  });

  it('gives a queue the whole grace to drain: all of it arrives, then the end', async () => {
    await start({ retry: false });
    const { client, stream } = await stage.connect();
    stream.pause();
    for (let n = 0; n < 60; n++) client.send(LARGE);
    const closed = hub.close({ grace: 20_000 });
    await when(() => hub.except([]).size === 0, 'its end has begun');
    assert.equal(hub.size, 1);
    stream.resume();
    assert.deepEqual(await closed, { ended: 1, cut: 0 });
    assert.equal(await stream.end(), 'end');
    assert.equal(stream.events.length, 60);
  });

  it('goes by a clock that cannot be set', async () => {
    await start();
    const all = await connectAll(2);
    const { now } = Date;
    try {
      Date.now = () => now() + 3_600_000;
      const closed = hub.close({ grace: 400 });
      await once(hub, 'disconnect');
      Date.now = () => now() + 7_200_000;
      assert.deepEqual(await closed, { ended: 2, cut: 0 });
    } finally {
      Date.now = now;
    }
    for (const { stream } of all) assert.equal(await stream.end(), 'end');
  });

  it('a newcomer on a connection of long ago is sent away, and its connection ended', async () => {
    await start();
    const others = await connectAll(2); // for whom the grace lasts
    const agent = new http.Agent({ keepAlive: true, maxSockets: 1 });
    const before = stage.expect((_req, res) => res.end('pong'));
    await (await open(stage.url + before.path, { agent })).end();
    hub.close({ grace: 60_000 });
    const { path, result } = stage.expect((req, res) => {
      const client = hub.connect(req, res);
      return { client, gone: once(req.socket, 'close') };
    });
    const stream = await open(stage.url + path, { agent });
    const { client, gone } = await result;
    assert.equal(stream.req.reusedSocket, true);
    assert.equal(client.closed, 'shutdown');
    assert.equal(stream.headers.connection, 'close');
    assert.equal(await stream.end(), 'end');
    await gone;
    agent.destroy();
    for (const other of others) other.stream.close();
  });

  it('a newcomer on an HTTP/2 session of long ago is sent away, and its session closed', async () => {
    hub = createHub();
    stage = await Stage.on(hub, 'http2');
    const session = await connect2(stage.url);
    const client = stage.expect((req, res) => hub.connect(req, res));
    const stream = await open2(stage.url + client.path); // for which the grace lasts
    await client.result;
    hub.close({ grace: 60_000 });
    const newcomer = stage.expect((req, res) => hub.connect(req, res));
    const away = await open2(stage.url + newcomer.path, { agent: session });
    assert.equal(await away.end(), 'end');
    assert.match(away.text, /^retry: \d+\n$/);
    if (!session.destroyed) await once(session, 'close');
    stream.close();
  });

  it('nobody who was told to stay away is asked to come back', async () => {
    await start();
    const { client, stream } = await stage.connect();
    client.close({ reconnect: false });
    await stream.end();
    const { id } = stream.events.at(-1);
    await hub.close();
    const again = await stage.connect({}, { lastEventId: id });
    assert.equal(again.stream.status, 204);
  });
});
