'use strict';

// npm run bench -- distribution [--rounds N] [--client ioredis|redis] [--seconds N]
//
// Events through Redis, from and to 1, 2 and 3 server processes: fanline beside socket.io with @socket.io/redis-streams-adapter.
// Every server is a fresh process, Redis is started for each measurement, all readers are one process; drivers are interleaved
// (A B A B …). Throughput: each process sends 16 events in each turn of its event loop, and at most 4,096 of its own are on their
// way: not yet accepted, or where that can't be known, not yet told by its own client. It counts until the last event has reached
// every client; what is missing ends the run, and so does what fanline gives out of order. Latency: one process sends 200 a second for twelve seconds, clients
// of the others take the time of the last eight. Times depend on the machine, which everything here shares: read the ratios.

const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const { execFileSync } = require('node:child_process');
const { Venue } = require('./venue');

const ROOT = path.join(__dirname, '..', '..');
const DRIVERS = ['fanline', 'socket.io'];
const PROCESSES = [1, 2, 3];
const SETTINGS = { size: 100, burst: 16, window: 4096, maxLen: 100_000, library: 'ioredis' };
const WARM_UP = 0.5; // s
const STEADY = { hz: 200, warm: 4, seconds: 8 }; // V8 is still compiling when a flood has just ended

/** What one driver does with so many processes. */
async function measure(driver, processes, seconds, settings) {
  const venue = await Venue.open(driver, processes, settings);
  try {
    const warm = await venue.act({ act: 'flood', seconds: WARM_UP });
    const cpu = await venue.cpu();
    const start = process.hrtime.bigint();
    const { sent, lastAt } = await venue.act({ act: 'flood', seconds });
    const after = await venue.cpu();
    const events = sent - warm.sent;
    const us = (kind) => ((after[kind] - cpu[kind]) * 1e6) / events;
    const found = {
      events_s: (events * 1e9) / Number(BigInt(lastAt) - start),
      server_us: us('servers'),
      redis_us: us('redis'),
      reader_us: us('readers'),
    };
    if (processes > 1) {
      const steady = { act: 'steady', hz: STEADY.hz };
      const one = [venue.servers[0]];
      await venue.act({ ...steady, seconds: STEADY.warm }, one);
      await venue.readers.ask({ timed: true });
      const told = await venue.act({ ...steady, seconds: STEADY.seconds }, one);
      found.p50_ms = told.p50_ms;
      found.p99_ms = told.p99_ms;
    }
    found.disorder = venue.disorder;
    return found;
  } finally {
    await venue.close();
  }
}

function summary(results) {
  const out = {};
  for (const key of Object.keys(results[0])) {
    const sorted = results.map((result) => result[key]).sort((a, b) => a - b);
    out[key] = { median: sorted[sorted.length >> 1], min: sorted[0], max: sorted.at(-1) };
  }
  return out;
}

const COLUMNS = [
  ['events_s', 'events/s', 0],
  ['server_us', 'CPU per event, µs: servers', 1],
  ['redis_us', 'Redis', 1],
  ['reader_us', 'readers', 1],
  ['p50_ms', 'p50, ms', 2],
  ['p99_ms', 'p99, ms', 2],
  ['disorder', 'events out of order', 0],
];

function cellOf(found, digits) {
  if (found === undefined) return '–';
  const [median, min, max] = [found.median, found.min, found.max].map((x) => x.toFixed(digits));
  return `${median} (${min}–${max})`;
}

function print(results) {
  console.log(`\n| processes | driver | ${COLUMNS.map(([, title]) => title).join(' | ')} |`);
  console.log(`|---|---|${COLUMNS.map(() => '---|').join('')}`);
  for (const [processes, byDriver] of Object.entries(results)) {
    for (const [driver, found] of Object.entries(byDriver)) {
      const cells = COLUMNS.map(([key, , digits]) => cellOf(found[key], digits));
      console.log(`| ${processes} | ${driver} | ${cells.join(' | ')} |`);
    }
    const [a, b] = DRIVERS.map((driver) => byDriver[driver]);
    if (a === undefined || b === undefined) continue;
    const ratio = (key) => (a[key].median / b[key].median).toFixed(2);
    const keys = ['events_s', ...(a.p99_ms ? ['p99_ms'] : [])];
    console.log(
      `| | fanline : socket.io | ${keys.map((key) => `${key} ${ratio(key)}`).join(' | ')} |`,
    );
  }
}

function versionOf(name) {
  return require(path.join(ROOT, 'bench', 'node_modules', name, 'package.json')).version;
}

function machineOf({ library }) {
  const redis = execFileSync(process.env.REDIS_SERVER ?? 'redis-server', ['--version']).toString();
  return {
    node: process.version,
    cpus: os.cpus().length,
    cpu: os.cpus()[0].model,
    kernel: os.release(),
    redis: /v=(\S+)/.exec(redis)[1],
    [library]: versionOf(library),
    'socket.io': versionOf('socket.io'),
    '@socket.io/redis-streams-adapter': versionOf('@socket.io/redis-streams-adapter'),
  };
}

function take(args, name, otherwise) {
  const at = args.indexOf(name);
  return at < 0 ? otherwise : args.splice(at, 2)[1];
}

async function main(args) {
  const rounds = Number(take(args, '--rounds', 5));
  const seconds = Number(take(args, '--seconds', 2));
  const settings = { ...SETTINGS, library: take(args, '--client', SETTINGS.library) };
  for (const key of ['burst', 'window'])
    settings[key] = Number(take(args, `--${key}`, SETTINGS[key]));
  const drivers = args.filter((name) => DRIVERS.includes(name));
  const counts = args.filter((name) => PROCESSES.includes(Number(name))).map(Number);
  const chosen = drivers.length > 0 ? drivers : DRIVERS;
  const loads = [os.loadavg()[0]];
  const rows = {};
  for (let round = 1; round <= rounds; round++) {
    for (const processes of counts.length > 0 ? counts : PROCESSES) {
      for (const driver of chosen) {
        process.stderr.write(`round ${round} of ${rounds}: ${processes}, ${driver}          \r`);
        rows[processes] ??= Object.fromEntries(chosen.map((driver) => [driver, []]));
        rows[processes][driver].push(await measure(driver, processes, seconds, settings));
      }
    }
    loads.push(os.loadavg()[0]);
  }
  const results = {};
  for (const [processes, byDriver] of Object.entries(rows)) {
    const pairs = Object.entries(byDriver).map(([driver, list]) => [driver, summary(list)]);
    results[processes] = Object.fromEntries(pairs);
  }
  print(results);
  const machine = machineOf(settings);
  const load_average = loads.map((load) => load.toFixed(1)).join(', ');
  console.log(`\n${rounds} rounds; load average ${load_average}`);
  const name = `distribution-${new Date().toISOString().replace(/[:.]/g, '-')}.json`;
  const file = path.join(ROOT, 'bench', 'results', name);
  fs.mkdirSync(path.dirname(file), { recursive: true });
  const all = { machine, load_average, rounds, seconds, settings, steady: STEADY, results };
  fs.writeFileSync(file, `${JSON.stringify(all, null, 2)}\n`);
  console.log(`Written to ${path.relative(ROOT, file)}`);
}

if (require.main === module) {
  main(process.argv.slice(2)).catch((err) => {
    console.error(err);
    process.exitCode = 1;
  });
}

module.exports = { main };
