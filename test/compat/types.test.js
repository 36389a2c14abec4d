'use strict';

const assert = require('node:assert/strict');
const fs = require('node:fs');
const path = require('node:path');
const { problemsOf } = require('../frameworks/support/types');
const { swapped } = require('./swapped');

const USAGE = path.join(__dirname, 'types', 'usage.mts');

describe('Types', function () {
  this.timeout(60_000);

  it('of an application compile with better-sse', () => {
    assert.deepEqual(problemsOf([USAGE]), []);
  });

  it('of the same application compile with fanline/compat/better-sse, for import and require', () => {
    const module = swapped(USAGE, 'swapped.mts');
    const commonjs = swapped(USAGE, 'swapped.cts');
    assert(fs.readFileSync(module, 'utf8').includes("from 'fanline/compat/better-sse'"));
    for (const file of [module, commonjs]) assert.deepEqual(problemsOf([file]), []);
  });
});
