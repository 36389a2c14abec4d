'use strict';

const path = require('node:path');
const { describeSample } = require('../support/rooms');
const { assertShown } = require('../support/sample');
const { build } = require('./support');

const SAMPLE = path.join(__dirname, 'sample');
const BESIDE = ['hub.js', 'next.config.mjs'];

before(async function () {
  this.timeout(240_000);
  await build();
});

describeSample(path.join(SAMPLE, 'app', 'events', '[room]', 'route.js'), {
  program: path.join(__dirname, 'start.js'),
  how: '143',
});

for (const file of BESIDE) {
  it(`docs/frameworks.md shows ${file}, too`, () => assertShown(path.join(SAMPLE, file)));
}
