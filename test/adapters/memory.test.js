'use strict';

const { MemoryEngine } = require('../../lib/distribution/memory');
const { conformance } = require('./conformance');

conformance({
  name: 'memory',
  dies: false,
  async start({ maxLen }) {
    const engine = new MemoryEngine({ maxLen });
    return { adapter: () => engine.adapter(), stop: async () => {} };
  },
});
