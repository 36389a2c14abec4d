'use strict';

// Mocha's own `spec` output, and the counts as JSON in $FANLINE_REPORT for scripts/test.js.

const fs = require('node:fs');
const Mocha = require('mocha');

module.exports = class extends Mocha.reporters.Spec {
  constructor(runner, options) {
    super(runner, options);
    const skipped = [];
    runner.on('pending', (test) => skipped.push(test.fullTitle()));
    runner.once('end', () => {
      if (!process.env.FANLINE_REPORT) return;
      const { passes: passed, failures: failed } = this.stats;
      fs.writeFileSync(process.env.FANLINE_REPORT, JSON.stringify({ passed, failed, skipped }));
    });
  }
};
