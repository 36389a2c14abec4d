'use strict';

// The public API beside a small oracle (support/oracle.js): random operations of every kind with real readers, whose bytes
// must be those that the oracle knows. `FANLINE_MODEL_SEED=<n>` repeats, `FANLINE_MODEL_RUNS=<n>` does more.

const { randomInt } = require('node:crypto');
const { WEIGHTS } = require('../js/support/model-operations');
const { ModelRun } = require('../js/support/model-run');

const { FANLINE_MODEL_SEED, FANLINE_MODEL_RUNS = 1 } = process.env;
const FD = ['auto'];
const BOTH = ['auto', 'relay'];
const LARGE = {
  large: true,
  operations: 350,
  settle: 0.02,
  history: { bytes: 64 << 20 },
  weights: { ...WEIGHTS, pause: 12 },
};
const SLOW = { queueBytes: 256 << 10 };
const ASKED = { ...WEIGHTS, deliver: 30, destroy: 2 }; // of one that leaves nobody knows what it got
const COMMON = { transports: BOTH, operations: 500, weights: WEIGHTS, settle: 0.1 };

const SETUPS = [
  { title: 'a large history, on descriptors', transports: FD },
  { title: 'a large history, relayed', transports: ['relay'] },
  { title: 'a small history', history: { events: 4 }, transports: BOTH },
  { title: 'a snapshot', history: { events: 4 }, snapshot: true, transports: BOTH },
  { title: 'own ids and a snapshot', history: false, snapshot: true, transports: BOTH },
  {
    title: 'keys, and few clients for a user',
    keys: true,
    hub: { limits: { clientsPerUser: 3 } },
    weights: ASKED,
  },
  { title: 'keys behind a snapshot', keys: true, snapshot: true },
  { title: 'the oldest dropped', ...LARGE, hub: { overflow: 'dropOldest', limits: SLOW } },
  { title: 'the newest dropped', ...LARGE, hub: { overflow: 'dropNewest', limits: SLOW } },
  { title: 'slow readers ended', ...LARGE, hub: { limits: SLOW } },
];

describe('random operations are what the oracle says', function () {
  this.timeout(60_000);
  for (let round = 0; round < Number(FANLINE_MODEL_RUNS); round++) {
    for (const setup of SETUPS) {
      const seed = Number(FANLINE_MODEL_SEED ?? randomInt(2 ** 32));
      it(`with ${setup.title} (seed ${seed})`, () =>
        new ModelRun({ ...COMMON, ...setup }, seed).run());
    }
  }
});
