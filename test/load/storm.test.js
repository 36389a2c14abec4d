'use strict';

// A short storm; `npm run storm` is the long one. Everything is judged in test/storm: each byte by the clients (reader.h), what is
// left of them in the server by harness.js.

const assert = require('node:assert/strict');
const { storm } = require('../storm/harness');

describe('storm', function () {
  this.timeout(90_000);

  before(function () {
    if (process.platform !== 'linux') this.skip(); // its clients use epoll
  });

  it('2,000 streams end at random moments: no wrong byte, nothing left', async () => {
    // Memory is the long storm's business: this one is too short for the server's to have grown to what it needs.
    const options = { total: 2_000, atOnce: 500, life: 800, seconds: 60, rssMB: 96 };
    const { clientsSaw, stats, done } = await storm(options);
    assert.ok(clientsSaw.events > 10_000, 'there was something to judge');
    assert.ok(clientsSaw.ids > clientsSaw.events / 4, 'some of it was kept, and had an id');
    assert.ok(clientsSaw.complete > 50, 'some streams ended in order');
    assert.ok(stats.disconnects.slow + stats.disconnects.stalled > 0, 'some were evicted');
    assert.ok(stats.relay.option > 50, 'some went through relay');
    assert.ok(done.moved > 50, 'some moved between rooms');
  });

  it('is the same with a batch delay and without history', async () => {
    const env = { FANLINE_STORM_DELAY: '20', FANLINE_STORM_HISTORY: 'off' };
    const options = { total: 600, atOnce: 200, life: 500, seconds: 60, rssMB: 96 };
    const { clientsSaw } = await storm({ ...options, env });
    assert.ok(clientsSaw.events > 1_000, 'there was something to judge');
    assert.equal(clientsSaw.ids, 0);
  });
});
