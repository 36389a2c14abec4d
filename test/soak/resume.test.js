'use strict';

// What test/load/resume-storm.test.js shows, for longer: cut off at random bytes, each gets every kept event once and in order.

const assert = require('node:assert/strict');
const { Storm } = require('../js/support/resume-storm');

const STORMS = {
  'small events, 500 clients': {
    how: {
      clients: 500,
      returns: 20,
      count: 20_000,
      ms: 50_000,
      size: 120,
      cutBytes: 20_000,
      awayMs: 100,
    },
    connections: 10_000,
  },
  'large events, 100 clients that pause': {
    how: {
      clients: 100,
      returns: 5,
      count: 4_000,
      ms: 40_000,
      size: 30_000,
      cutBytes: 2e6,
      awayMs: 300,
      pauseMs: 600,
    },
    connections: 500,
  },
};

describe('resuming in a long storm', () => {
  let storm;
  afterEach(() => storm.close());

  for (const transport of ['auto', 'relay']) {
    for (const [name, { how, connections }] of Object.entries(STORMS)) {
      it(`${name}: ${transport}`, async () => {
        storm = new Storm({ transport, ...how });
        const report = await storm.run();
        const { eventsReplayed, blockedWrites } = storm.check(report);
        const { deliveries, errors, incomplete, byRooms, ...counts } = report;
        console.log('     ', JSON.stringify({ ...counts, eventsReplayed, blockedWrites }));
        assert.ok(counts.connections > connections, `${counts.connections} connections`);
      });
    }
  }
});
