'use strict';

const assert = require('node:assert/strict');
const path = require('node:path');
const { problemsOf } = require('../support/types');

it('fanline/fastify has types, for import and require', function () {
  this.timeout(60_000);
  const files = ['types.mts', 'types.cts'].map((name) => path.join(__dirname, name));
  assert.deepEqual(problemsOf(files), []);
});
