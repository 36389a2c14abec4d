'use strict';

// fanline/testing within Bun and within Deno: its own tests, with their servers, run by mocha there.

const path = require('node:path');
const { RUNTIMES } = require('./support/runtime');
const { PATIENCE, passes } = require('./support/suite');

// File → how many tests it has at least.
const SUITES = { 'testing-kit': 18, 'testing-kit-targets': 35, 'testing-kit-requests': 10 };

// What they say of other things than the kit.
const WITHOUT = {
  Bun: [
    'a stream that is cut ends, and not in order', // the server's own socket throws what the test did to it
    'nothing in time is ERR_FAN_TIMEOUT, and says what had arrived', // no stack beyond an await
    'without eventsource-parser the error says what to install', // where there is no node_modules, Bun installs
  ],
  // Outside of node_modules a .js is a module there.
  Deno: ['import and require are one copy of it'],
};

for (const runtime of RUNTIMES) {
  describe(`fanline/testing under ${runtime.name}`, function () {
    this.timeout(2 * PATIENCE);

    for (const [name, least] of Object.entries(SUITES)) {
      it(`does what it does under Node: ${name}`, () => {
        const file = path.join(__dirname, '..', 'js', `${name}.test.js`);
        const without = WITHOUT[runtime.name].join('|');
        return passes(runtime, file, ['--grep', without, '--invert'], least);
      });
    }
  });
}
