'use strict';

// Mocha's own `spec` output, and the counts as JSON in $FAN_MOCHA_COUNTS for scripts/test.js.

const fs = require('node:fs');
const Mocha = require('mocha');

module.exports = class extends Mocha.reporters.Spec {
  constructor(runner, options) {
    super(runner, options);
    const skipped = [];
    runner.on('pending', (test) => skipped.push(test.fullTitle()));
    runner.once('end', () => {
      if (!process.env.FAN_MOCHA_COUNTS) return;
      const { passes, failures } = this.stats;
      fs.writeFileSync(process.env.FAN_MOCHA_COUNTS, JSON.stringify({ passes, failures, skipped }));
    });
  }
};
