'use strict';

// One scoreboard, four times: `node examples/migration/server.js 2`, or STEP=2; the last step by default.

const STEPS = ['./0-by-hand', './1-headers', './2-sends', './3-rooms'];

const step = process.argv[2] || process.env.STEP || '3';
const file = STEPS[Number(step)];
if (!file) {
  console.error(`There are the steps 0 to ${STEPS.length - 1}, and no "${step}"`);
  process.exit(1);
}
require(file);
