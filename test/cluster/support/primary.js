'use strict';

// A primary by itself, with two workers that run site.js; says their pids, and lives until it is killed.

const cluster = require('node:cluster');
const path = require('node:path');
const { setupPrimary } = require('fanline/cluster');

setupPrimary();
cluster.setupPrimary({ exec: path.join(__dirname, 'site.js') });
const workers = [cluster.fork(), cluster.fork()];
let ready = 0;
for (const worker of workers) {
  worker.once('message', () => {
    if (++ready === 2) process.send(workers.map(({ process: { pid } }) => pid));
  });
}
