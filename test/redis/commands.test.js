'use strict';

// What is asked of the server: in the language of Redis 5, and for more than one answer.

const assert = require('node:assert/strict');
const { startRedis } = require('./support/server');
const { World } = require('./support/wired');

describe('redis: what is asked', () => {
  let world;

  beforeEach(() => {
    world = new World();
  });

  afterEach(() => world.end());

  it('has no range but those that Redis 5 knows: from an id, that one included', async () => {
    const { port } = world.server(await startRedis());
    const a = await world.hub(world.client('redis 6', port));
    await a.until('ready');
    const sent = ['1', '2', '3'].map((data) => a.hub.to('x').send(data).accepted);
    const [first] = await Promise.all(sent);
    const ranges = [];
    const monitor = await world.client('ioredis 6', port).monitor();
    monitor.on('monitor', (_time, args) => args[0].toUpperCase() === 'XRANGE' && ranges.push(args));
    const b = await world.hub(world.client('redis 6', port)); // its memory does not go back so far
    await b.until('ready');
    const back = await b.open('/?room=x', { lastEventId: first });
    const missed = await back.take(2);
    monitor.disconnect();
    assert.deepEqual(
      missed.map(({ data }) => data),
      ['2', '3'],
    );
    assert(ranges.length > 0);
    for (const [, , from] of ranges) assert.match(from, /^(-|\d+-\d+)$/);
  });

  it('counts the clients of a process again that was silent for a while', async () => {
    const { port } = world.server(await startRedis());
    const redis = world.client('ioredis 6', port);
    const hubs = [0, 1].map(() => world.hub(world.client('redis 6', port)));
    const [a, b] = await Promise.all(hubs);
    for (const one of [a, b]) await one.until('ready');
    const [here, there] = [a, b].map(({ hub }) => hub._traffic._link);
    await here.admit('ada', 2, 2);
    await redis.zrem('{fanline}:processes', a.hub._traffic.process);
    assert.equal(await there.admit('ada', 1, 2), true);
    await here.processes(); // a heartbeat of it
    assert.equal(await there.admit('ada', 1, 2), false);
    await here.admit('ada', 1, 2);
    assert.equal(await there.admit('ada', 1, 2), true);
    await Promise.all([here.admit('ada', 0, 2), there.admit('ada', 0, 2)]);
    assert.equal(await redis.exists('{fanline}:user:ada'), 0);
  });
});
