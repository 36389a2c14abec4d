'use strict';

// Peers that go: with a FIN, with an RST, without a word, or only for a moment. docs/limits.md has the times as a table.

const assert = require('node:assert/strict');
const { setTimeout: sleep } = require('node:timers/promises');
const { textOf } = require('../js/support/reader');
const { when } = require('../js/support/stage');
const { KIND, isReal } = require('./support/link');
const { Scene } = require('./support/scene');

const EARLY = 5; // ms by which two clocks may differ
const LATE = 500; // ms that a busy machine may add
const USER_TIMEOUT = 5_000; // ms that the kernel is given beyond stallTimeout to reach the peer
const RETRIES = 2_000; // ms: TCP looks at that time when it tries again, and begins to count at the first try
const NEAR = { near: true };
const SIZE = 3_000;

/** All of them end for this reason, so many ms after `begun`. */
async function endAll(all, reason, begun, min, max) {
  const over = () => all.every(({ client }) => client.closed !== null);
  await when(over, 'the end of all', max + LATE + 5_000);
  for (const { way, client } of all) {
    const ms = client.closedAt - begun;
    assert.equal(client.closed, reason, `${way}, after ${ms} ms`);
    assert(ms >= min - EARLY && ms <= max + LATE, `${way}: ${ms} ms, not from ${min} to ${max}`);
  }
}

/** Others are as before. */
async function isWell({ client, reader }) {
  const before = reader.read().body;
  client.send('well');
  await reader.gets(`${before}data: well\n\n`);
  assert.equal(client.closed, null);
}

describe(`a peer across a link (${KIND})`, () => {
  const scenes = [];
  afterEach(() => Promise.all(scenes.splice(0).map((scene) => scene.close())));

  async function open(how) {
    const scene = await Scene.open(how);
    scenes.push(scene);
    return scene;
  }

  for (const [what, leave] of [
    ['closes', ({ raw }) => raw.destroy()],
    ['resets', ({ raw }) => raw.resetAndDestroy()],
  ]) {
    it(`that ${what} the connection has left at once: client`, async () => {
      const scene = await open();
      const all = await scene.connectAll();
      const near = await scene.connect(NEAR);
      const begun = performance.now();
      for (const { reader } of all) leave(reader);
      await endAll(all, 'client', begun, 0, 0);
      await isWell(near);
    });
  }

  it('that vanishes while bytes wait is stalled after stallTimeout', async () => {
    const stallTimeout = 1_000;
    const scene = await open({ hub: { limits: { stallTimeout } } });
    const all = await scene.connectAll();
    const near = await scene.connect(NEAR);
    await scene.link.down();
    const begun = performance.now();
    for (const { client } of all) {
      for (let n = 0; n < 400; n++) client.send(textOf(n, SIZE));
    }
    await endAll(all, 'stalled', begun, stallTimeout, stallTimeout);
    assert.deepEqual(
      scene.drops.map(({ reason, bytes }) => [reason, bytes > 100 * SIZE]),
      all.map(() => ['stalled', true]),
    );
    for (const { reader } of all) assert.equal(reader.read().body, ':\n');
    assert.equal(scene.hub.size, 1);
    await isWell(near);
  });

  it('that vanishes while nothing waits, next door or far away, is stalled: stallTimeout + 5 s after the heartbeat', async () => {
    const stallTimeout = 1_000;
    const interval = 300;
    const given = isReal ? stallTimeout + USER_TIMEOUT : stallTimeout;
    // The proxy's kernel acknowledges what nobody reads, until it is full.
    const heartbeat = isReal ? interval : { interval: 2, event: 'beat'.padEnd(4_000, '.') };

    async function vanish(quality) {
      const scene = await open({ quality, hub: { limits: { stallTimeout } } });
      const all = await scene.connectAll({ heartbeat });
      const near = await scene.connect(NEAR);
      await scene.link.down();
      await endAll(all, 'stalled', performance.now(), given, interval + given + RETRIES);
      assert.equal(scene.hub.stats().disconnects.stalled, all.length);
      await isWell(near);
    }
    // What the kernel calls it differs: next door it asks in vain who has the address, far away nothing comes back.
    await Promise.all([vanish({ far: false }), vanish({ far: true })]);
  });

  it('that is away for less than stallTimeout gets everything, in order, and once', async () => {
    const scene = await open({
      quality: { kbit: 1_000, loss: 1 },
      hub: { limits: { stallTimeout: 5_000 } },
    });
    const all = await scene.connectAll();
    const count = 25;
    let body = ':\n';
    for (let n = 0; n < count; n++) {
      scene.hub.broadcast(textOf(n, SIZE));
      body += `data: ${textOf(n, SIZE)}\n\n`;
    }
    await when(() => all.every(({ reader }) => reader.received > SIZE), 'some of it', 10_000);
    await scene.link.down();
    await sleep(50); // what has crossed is read
    const before = all.map(({ reader }) => reader.received);
    await sleep(650);
    assert.deepEqual(
      all.map(({ reader }) => reader.received),
      before,
    );
    assert(before.some((bytes) => bytes < body.length));
    await scene.link.up();
    for (const { reader } of all) await reader.gets(body, 15_000);
    for (const { client } of all) assert.equal(client.closed, null);
    assert.deepEqual(scene.drops, []);
  });
});
