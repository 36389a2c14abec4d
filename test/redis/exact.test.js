'use strict';

// Payloads as they were sent, from one process to another.

const assert = require('node:assert/strict');
const { Process } = require('./support/process');
const { startRedis } = require('./support/server');
const { World } = require('./support/wired');

const SIZES = [1, 2, 3, 10, 100, 1_000, 4_096, 10_000, 65_535, 65_536, 100_000, 300_000, 500_000];
const EVENT_BYTES = 1 << 20;

describe('redis: payloads', function () {
  this.timeout(60_000);
  let world;
  let redis;

  beforeEach(async () => {
    world = new World();
    redis = world.server(await startRedis());
  });

  afterEach(() => world.end());

  async function processes(...libraries) {
    const all = libraries.map((library) => world.add(new Process({ library, port: redis.port })));
    await Promise.all(all.map((one) => one.ask('listen')));
    return all;
  }

  const LIBRARIES = ['ioredis 6', 'redis 6', 'ioredis 5', 'redis 5'];

  it('of 1 B to 1 MiB arrive as they were, in other processes and in their own', async () => {
    const all = await processes(...LIBRARIES);
    for (const [i, sender] of all.entries()) {
      const sent = await sender.ask('sendSizes', SIZES, i * 100);
      for (const one of all) assert.deepEqual(await one.ask('gotDigests', SIZES.length), sent);
    }
  });

  it('of exactly the limit arrive, and one byte more is refused at once, before Redis sees it', async () => {
    const [a, b] = await processes('ioredis 6', 'redis 6');
    const io = world.client('ioredis 6', redis.port);
    const scripts = async () => {
      const stats = await io.info('commandstats');
      return Number(/cmdstat_xadd:calls=(\d+)/.exec(stats)?.[1] ?? 0);
    };
    for (const one of [a, b])
      assert.equal(await one.ask('refused', EVENT_BYTES + 1), 'ERR_FAN_TOO_LARGE');
    assert.equal(await scripts(), 0);
    assert.equal(await a.ask('refused', EVENT_BYTES), null);
    assert.equal((await b.ask('got', 1))[0].data.length, EVENT_BYTES);
    assert.equal(await scripts(), 1);
  });
});
