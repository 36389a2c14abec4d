'use strict';

const assert = require('node:assert/strict');
const path = require('node:path');
const { problemsOf } = require('../support/types');

it('fanline/nest has types; those of the sample are right', function () {
  this.timeout(60_000);
  const files = ['types.mts', 'types.cts', 'sample.mts'].map((name) => path.join(__dirname, name));
  assert.deepEqual(problemsOf(files), []);
});
