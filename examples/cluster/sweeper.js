'use strict';

// Ends what start.js has started, should that be killed before it can do so itself (kill -9).

const fs = require('node:fs');
const { signal } = require('./part');

let left = { pids: [], dir: null };

process.on('message', (message) => {
  left = message;
});

process.on('disconnect', () => {
  for (const pid of left.pids) signal(pid, 'SIGTERM');
  if (left.dir !== null) fs.rmSync(left.dir, { recursive: true, force: true });
});
