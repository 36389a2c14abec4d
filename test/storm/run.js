'use strict';

// npm run storm [-- TOTAL [AT-ONCE [LIFE-MS [SEED]]]]: ten thousand streams. A shorter one is part of npm test.

const { storm } = require('./harness');

const [total = 10_000, atOnce = 1_200, life = 1_500, seed] = process.argv.slice(2).map(Number);

storm({ total, atOnce, life, seed, seconds: 240 }).then(
  (result) => console.log(JSON.stringify(result, null, 2)),
  (err) => {
    console.error(err.message);
    process.exitCode = 1;
  },
);
