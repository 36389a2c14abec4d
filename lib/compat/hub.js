'use strict';

// The hub beneath fanline/compat/better-sse: one for each environment, as sessions and channels there know of no hub. Ids are the
// application's, and `retry` and heartbeats each session's own. Making it starts nothing.

const { createHub } = require('../hub');

const hub = createHub({
  history: false,
  retry: false,
  heartbeat: false,
  // What an application that moves has never had to think of should not meet it on the way: the queue's limits hold it anyway.
  limits: { eventBytes: 64 << 20, roomsPerClient: Infinity },
});

module.exports = { hub };
