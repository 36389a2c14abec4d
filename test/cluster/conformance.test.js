'use strict';

// The suite of adapters over node:cluster, of which this process is the primary: links that are in workers, each in one of its
// own, beside one of the primary where there are three; and links of the primary alone.

const { clusterAdapter, setupPrimary } = require('fanline/cluster');
const { conformance } = require('../adapters/conformance');
const { remoteAdapter } = require('../adapters/support/remote');

const OURS = require.resolve('./support/adapter');
const inWorker = (options) => remoteAdapter(OURS, options);

setupPrimary();
let worlds = 0;

conformance({
  name: 'cluster',
  slack: 256, // the last batch stays, however small the limit is
  async start({ maxLen }) {
    const prefix = `world-${++worlds}`;
    let made = 0;
    return {
      adapter: () => (++made === 3 ? clusterAdapter : inWorker)({ prefix, maxLen }),
      kill: (adapter) => adapter.kill(),
      stop: async () => {},
    };
  },
});

conformance({
  name: 'cluster, in its primary',
  dies: false,
  slack: 256,
  async start({ maxLen }) {
    const prefix = `world-${++worlds}`;
    return { adapter: () => clusterAdapter({ prefix, maxLen }), stop: async () => {} };
  },
});
