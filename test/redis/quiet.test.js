'use strict';

// A process whose clients get nothing of a busy stream: what it costs is how often it reads.

const assert = require('node:assert/strict');
const { startRedis } = require('./support/server');
const { World } = require('./support/wired');

const EVENTS = 200;

describe('redis: a busy stream of which nobody here gets anything', () => {
  let world;

  beforeEach(() => {
    world = new World();
  });

  afterEach(() => world.end());

  /** How often each connection has read while events for a room were accepted one by one. */
  async function readsOf(port, hub) {
    const reads = new Map();
    const monitor = await world.client('ioredis 6', port).monitor();
    monitor.on('monitor', (_time, [name], source) => {
      if (name.toUpperCase() === 'XREAD') reads.set(source, (reads.get(source) ?? 0) + 1);
    });
    for (let i = 0; i < EVENTS; i++) await hub.to('busy').send(`${i}`).accepted;
    monitor.disconnect();
    return [...reads.values()].sort((a, b) => a - b);
  }

  it('is read less often than by those who do', async () => {
    const { port } = world.server(await startRedis());
    const [a, b] = [
      await world.hub(world.client('redis 6', port)),
      await world.hub(world.client('ioredis 6', port)),
    ];
    for (const one of [a, b]) await one.until('ready');
    const busy = await a.open('/?room=busy');
    const other = await b.open('/?room=other');
    const [few, many] = await readsOf(port, a.hub);
    assert(few * 2 < many, `${few} and ${many} reads of ${EVENTS} events`);
    // The one for somebody here comes, and from then on it reads as others do.
    a.hub.to('other').send('at last');
    assert.equal((await other.next()).data, 'at last');
    assert.equal((await busy.take(EVENTS)).length, EVENTS);
  });
});
