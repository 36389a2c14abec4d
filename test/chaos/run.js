'use strict';

// npm run chaos [-- --minutes 3 --seed N --clients 300 --rate 30 --verbose]: Redis is killed at least 10 times, and each of three
// processes at least 5 times. A shorter one is part of npm run test:load.

const { parseArgs } = require('node:util');
const { Chaos, missing } = require('./support/chaos');
const { sentence } = require('./support/sentence');

const MINUTE = 60_000;
const LATE = 5 * MINUTE; // behind the time that it should take
const SEEDS = 2 ** 32;

const { values } = parseArgs({
  options: {
    minutes: { type: 'string', default: '3' },
    seed: { type: 'string', default: String(Date.now() % SEEDS) },
    clients: { type: 'string', default: '300' },
    rate: { type: 'string', default: '30' }, // events a second, of each process
    verbose: { type: 'boolean', default: false },
  },
});
function number(name) {
  const value = Number(values[name]);
  if (value > 0) return value;
  console.error(`--${name} must be a number`);
  process.exit(2);
}

const [minutes, clients] = [number('minutes'), number('clients')];
const [seed, perSecond] = [number('seed'), number('rate')];

for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => process.exit(1));
const begun = Date.now();
const say = (text) => console.log(`${((Date.now() - begun) / 1_000).toFixed(1)} s: ${text}`);

async function main() {
  const lacks = missing();
  if (lacks !== null) {
    console.error(`missing: ${lacks} (npm run test:setup)`);
    process.exit(2);
  }
  console.log(`seed ${seed}: ${minutes} minutes, ${clients} clients`);
  const chaos = new Chaos({
    seed,
    ms: minutes * MINUTE,
    clients,
    perSecond,
    cutsPerSecond: clients / 20,
    kills: { redis: Math.max(10, Math.round(minutes * 4)), each: Math.max(5, minutes * 2) },
    progress: (counts) => say(sentence(counts)),
    note: values.verbose ? say : undefined,
  });
  setTimeout(() => process.exit(1), minutes * MINUTE + LATE).unref();
  const counts = await chaos.run();
  say(sentence(counts));
  for (const word of counts.words) console.log(`  ${word}`);
  console.log(counts.isRight ? 'every event once and in order' : `WRONG (--seed ${seed})`);
  if (!counts.isRight) process.exitCode = 1;
}

main();
