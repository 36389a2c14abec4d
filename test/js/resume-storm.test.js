'use strict';

// Exactly once: 500 readers are cut off at random bytes and come back with the last id they got, while the publisher goes on. What
// each has got over all its connections is what it was meant to get.

const assert = require('node:assert/strict');
const { ROOM_COUNTS } = require('./support/resume-plan');
const { Storm } = require('./support/resume-storm');

const CLIENTS = 500;

describe('resuming in a storm', function () {
  this.timeout(60_000);
  let storm;

  afterEach(() => storm.close());

  for (const transport of ['auto', 'relay']) {
    it(`cut off at random bytes, 500 clients in 1, 2 and 5 rooms get every kept event once and in order, others in their place: ${transport}`, async () => {
      const seed = Math.floor(Math.random() * 2 ** 31);
      const how = { transport, clients: CLIENTS, count: 1_500, ms: 3_000, cutBytes: 8_000 };
      storm = new Storm({ seed, ...how, awayMs: 50 });
      const report = await storm.run();
      const { errors, incomplete, deliveries, byRooms, ...counts } = report;
      assert.deepEqual({ errors, incomplete }, { errors: [], incomplete: [] }, `seed ${seed}`);
      const stats = storm.hub.stats();
      assert.equal(stats.resets, 0);
      assert.deepEqual(
        Object.keys(stats.disconnects).filter((reason) => stats.disconnects[reason]),
        ['client'],
      );
      assert.deepEqual(Object.keys(stats.relay), transport === 'relay' ? ['option'] : []);
      for (const { matched, written, dropped, closed } of deliveries)
        assert.deepEqual([matched, dropped], [written + closed, 0]);
      // It was a storm.
      for (const rooms of ROOM_COUNTS) assert.ok(byRooms[rooms] > CLIENTS * 20, `${rooms} rooms`);
      assert.ok(counts.connections > CLIENTS * 3, `${counts.connections} connections`);
      assert.ok(stats.eventsReplayed > CLIENTS * 10, `${stats.eventsReplayed} replayed`);
      for (const what of ['passing', 'own', 'cutInHead', 'cutInBlock', 'cutBetween'])
        assert.ok(counts[what] > CLIENTS / 10, `${what}: ${counts[what]}`);
    });
  }
});
