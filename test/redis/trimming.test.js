'use strict';

// What the stream keeps, what a process keeps, and which of them a client that comes back is served from.

const assert = require('node:assert/strict');
const { setTimeout: delay } = require('node:timers/promises');
const { startRedis } = require('./support/server');
const { World } = require('./support/wired');

const NODE = 100; // entries that the server lets go of together, at most (stream-node-max-entries)
const RESET = 'fanline:reset';

describe('redis: what is kept', () => {
  let world;
  let redis;
  let io;

  beforeEach(async () => {
    world = new World();
    redis = world.server(await startRedis());
    io = world.client('ioredis 6', redis.port);
  });

  afterEach(() => world.end());

  const length = () => io.call('XLEN', '{fanline}:events');

  async function hub(options, library = 'redis 6') {
    const made = await world.hub(world.client(library, redis.port), options);
    await made.until('ready');
    return made;
  }

  async function send({ hub }, from, to) {
    const sent = [];
    for (let i = from; i <= to; i++) sent.push(hub.to('x').send(`${i}`).accepted);
    return Promise.all(sent);
  }

  const numbers = (from, to) => Array.from({ length: to - from + 1 }, (_, i) => `${from + i}`);

  /** What a client gets that comes back with that cursor. */
  async function missed(wired, lastEventId, count) {
    const stream = await wired.open('/?room=x', { lastEventId });
    return stream.take(count);
  }

  it('by number: `maxLen`, and a part of the stream more', async () => {
    const a = await hub({ redis: { maxLen: 300 } });
    await send(a, 1, 1_000);
    const kept = await length();
    assert(kept >= 300 && kept <= 300 + NODE, `${kept}`);
  });

  it('by age: `maxAge`, looked at with each send', async () => {
    const a = await hub({ redis: { maxAge: 300 } });
    await send(a, 1, 500);
    await delay(400);
    assert.equal(await length(), 500);
    await send(a, 501, 600);
    const kept = await length();
    assert(kept >= 100 && kept <= 100 + NODE, `${kept}`);
  });

  /** As `send`, at a pace at which no process falls behind what the stream keeps. */
  async function sendSlowly(wired, from, to) {
    const stream = await wired.open('/?room=x');
    const ids = [];
    for (let i = from; i <= to; i += 20) {
      ids.push(...(await send(wired, i, Math.min(to, i + 19))));
      await stream.take(Math.min(to, i + 19) - i + 1);
    }
    await stream.close();
    return ids;
  }

  it('`history` reaches further than the stream: a process that was there serves from memory', async () => {
    const options = { redis: { maxLen: 100 }, history: { events: 2_000 } };
    const a = await hub(options);
    const [first] = await sendSlowly(a, 1, 1_000);
    assert((await length()) <= 100 + NODE);
    const events = await missed(a, first, 999);
    assert.deepEqual(
      events.map(({ data }) => data),
      numbers(2, 1_000),
    );
    const late = await hub(options); // it was not there
    assert.equal((await missed(late, first, 1))[0].event, RESET);
  });

  it('the stream reaches further than `history`: what is no longer in memory is read from it', async () => {
    const options = { history: { events: 10 } };
    const a = await hub(options);
    const [first] = await sendSlowly(a, 1, 1_000);
    for (const one of [a, await hub(options, 'ioredis 6')]) {
      const events = await missed(one, first, 999);
      assert.deepEqual(
        events.map(({ data }) => data),
        numbers(2, 1_000),
      );
    }
  });

  it('neither reaches that far: one `fanline:reset`, and then what comes', async () => {
    const a = await hub({ redis: { maxLen: 100 }, history: { events: 10 } });
    const [first] = await sendSlowly(a, 1, 1_000);
    const stream = await a.open('/?room=x', { lastEventId: first });
    assert.equal((await stream.next()).event, RESET);
    await send(a, 1_001, 1_002);
    assert.deepEqual(await stream.data(2), ['1001', '1002']);
  });

  it('all keys, and what they cost', async () => {
    const a = await hub({ redis: { prefix: 'shop' }, limits: { clientsPerUser: 5 } });
    const b = await hub({ redis: { prefix: 'shop' } }, 'ioredis 6');
    await send(a, 1, 5_000);
    await a.hub.presence();
    await b.hub.presence();
    const types = {};
    for (const key of await io.keys('*')) {
      assert.match(key, /^\{shop\}:/);
      const [, name] = /^\{shop\}:(\w+)/.exec(key);
      types[name] = [await io.type(key), (await io.pttl(key)) > 0];
    }
    assert.deepEqual(types, {
      answers: ['stream', true],
      batch: ['string', true],
      events: ['stream', false],
      heads: ['zset', false],
      last: ['string', false],
      processes: ['zset', false],
    });
    const bytes = await io.call('MEMORY', 'USAGE', '{shop}:events', 'SAMPLES', '0');
    assert(bytes / 5_000 < 200, `${bytes / 5_000} B for an event of 4`);
  });
});
