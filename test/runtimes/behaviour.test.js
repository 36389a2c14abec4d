'use strict';

// The behaviour suite of Node's servers and Express, run by mocha within Bun and within Deno.

const path = require('node:path');
const { RUNTIMES } = require('./support/runtime');
const { PATIENCE, passes } = require('./support/suite');

const SUITE = path.join(__dirname, 'support', 'behaviour.js');
const TITLES = [
  'http, http',
  'https, http',
  'http2, http',
  'http, Express 5',
  'compression, Express 5',
];
const LEAST = 80; // tests of each: were they not found, none would fail

for (const runtime of RUNTIMES) {
  describe(`behaviour under ${runtime.name}`, function () {
    this.timeout(2 * PATIENCE);

    for (const title of TITLES) {
      it(`is Node's over ${title}, and the process ends by itself`, () =>
        passes(runtime, SUITE, ['--fgrep', `behaviour ${title} `], LEAST));
    }
  });
}
