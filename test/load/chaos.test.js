'use strict';

// A short one of test/chaos; `npm run chaos` is the long one. `FANLINE_CHAOS_SEED=<n>` makes the same choices again.

const assert = require('node:assert/strict');
const { randomInt } = require('node:crypto');
const { Chaos, missing } = require('../chaos/support/chaos');
const { sentence } = require('../chaos/support/sentence');

const CLIENTS = 60;

describe('chaos', function () {
  this.timeout(120_000);
  this.retries(0); // it judges no time: whatever it finds is wrong
  let chaos;

  before(function () {
    if (missing() !== null) this.skip();
  });

  afterEach(() => chaos?.close());

  it('Redis and three processes are killed: what was accepted reaches everybody once and in order', async function () {
    const seed = Number(process.env.FANLINE_CHAOS_SEED ?? randomInt(2 ** 32));
    const kills = { redis: 2, each: 1 };
    const how = { ms: 15_000, clients: CLIENTS, perSecond: 30, cutsPerSecond: 6, kills };
    chaos = new Chaos({ seed, ...how });
    const counts = await chaos.run();
    const said = `seed ${seed}: ${sentence(counts)}\n${counts.words.join('\n')}`;
    assert.ok(counts.isRight, said);
    // It was chaos.
    assert.deepEqual(counts.kills, { redis: 2, A: 1, B: 1, C: 1 }, said);
    assert.ok(counts.moved > CLIENTS, said);
    assert.ok(counts.events.accepted > 200, said);
    assert.ok(counts.deliveries > CLIENTS * 20, said);
  });
});
