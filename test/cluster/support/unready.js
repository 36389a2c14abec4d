'use strict';

// A worker of a primary that has not been set up, or a worker thread: says what clusterAdapter() throws there.

const { isMainThread, parentPort } = require('node:worker_threads');
const { clusterAdapter } = require('fanline/cluster');

let said = null;
try {
  clusterAdapter();
} catch ({ code, message }) {
  said = { code, message };
}
if (isMainThread) process.send(said, () => process.disconnect());
else parentPort.postMessage(said);
