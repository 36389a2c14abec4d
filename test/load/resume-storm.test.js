'use strict';

// Exactly once: readers are cut off at random bytes and come back with the last id they got, while the publisher goes on. What each
// has got over all its connections is what it was meant to get. (For longer: npm run soak.)

const assert = require('node:assert/strict');
const { ROOM_COUNTS } = require('../js/support/resume-plan');
const { Storm } = require('../js/support/resume-storm');

const CLIENTS = 500;

describe('resuming in a storm', function () {
  this.timeout(60_000);
  let storm;

  afterEach(() => storm.close());

  for (const transport of ['auto', 'relay']) {
    it(`cut off at random bytes, 500 clients in 1, 2 and 5 rooms get every kept event once and in order, others in their place: ${transport}`, async () => {
      const how = { returns: 3, count: 1_500, ms: 3_000, size: 120, cutBytes: 8_000, awayMs: 50 };
      storm = new Storm({ transport, clients: CLIENTS, ...how });
      const { byRooms, ...counts } = await storm.run();
      const stats = storm.check(counts);
      // It was a storm.
      for (const rooms of ROOM_COUNTS) assert.ok(byRooms[rooms] > CLIENTS * 10, `${rooms} rooms`);
      assert.ok(counts.connections > CLIENTS * 2, `${counts.connections} connections`);
      assert.ok(stats.eventsReplayed > CLIENTS * 10, `${stats.eventsReplayed} replayed`);
      for (const what of ['passing', 'own', 'cutInHead', 'cutInBlock', 'cutBetween'])
        assert.ok(counts[what] > CLIENTS / 10, `${what}: ${counts[what]}`);
    });

    it(`the same with large events and readers that pause, so that what they missed waits for them: ${transport}`, async () => {
      const how = {
        returns: 1,
        count: 300,
        ms: 1_500,
        size: 60_000,
        cutBytes: 800_000,
        awayMs: 60,
      };
      storm = new Storm({ transport, clients: 30, pauseMs: 300, ...how });
      const counts = await storm.run();
      const stats = storm.check(counts);
      assert.ok(counts.connections > 45, `${counts.connections} connections`);
      assert.ok(stats.blockedWrites > 100, `${stats.blockedWrites} blocked writes`);
    });
  }
});
