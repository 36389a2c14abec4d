'use strict';

// Two servers at the same time with as many readers each, and a restart of both: one says a fixed `retry`, the other one a random
// time to each reader, which is what fanline does unless told otherwise. When do the readers come back?
//
//   node test/examples/support/storm.js [readers]      with fanline's own numbers; half a minute

const { fork } = require('node:child_process');
const { once } = require('node:events');
const path = require('node:path');

const READERS = path.join(__dirname, '..', '..', 'js', 'support', 'returning-child.js');
const SERVER = path.join(__dirname, 'storm-server.js');
const TENTHS = 10;

const run = (script, ...args) => fork(script, args.map(String), { execArgv: [] });

/** A server with its readers in another process. */
class Side {
  constructor(retry, grace) {
    this._options = { retry, grace };
    this._children = new Set();
  }

  async open(count) {
    this._server = await this._start(0);
    this._readers = run(READERS);
    this._children.add(this._readers);
    await this._ask({ open: { port: this.port, path: '/', count } });
  }

  async _start(port) {
    const child = run(SERVER, JSON.stringify({ ...this._options, port }));
    this._children.add(child);
    const [{ port: own }] = await once(child, 'message');
    this.port = own;
    return child;
  }

  /** Ends the server as `signal` has it, and starts another as soon as it is gone. */
  async restart(signal) {
    const exit = once(this._server, 'exit');
    this._server.kill(signal);
    await exit;
    this._server = await this._start(this.port);
  }

  /** When each came back: ms of the system's clock. */
  async returns() {
    await this._ask({ until: 2 });
    const seen = await this._ask({ report: true });
    return seen.map(({ tries }) => tries[1]);
  }

  async _ask(message) {
    const answer = once(this._readers, 'message');
    this._readers.send(message);
    return (await answer)[0];
  }

  async close() {
    for (const child of this._children) {
      if (child.exitCode !== null || child.signalCode !== null) continue;
      const exit = once(child, 'exit');
      child.kill('SIGKILL');
      await exit;
    }
  }
}

/** How many of `times` are in each tenth of the time from `from` to `to`. */
function tenths(times, from, to) {
  const counts = new Array(TENTHS).fill(0);
  const width = (to - from) / TENTHS;
  for (const time of times) counts[Math.min(TENTHS - 1, Math.floor((time - from) / width))]++;
  return counts;
}

/** The largest part of `times` that lies within `width`, wherever that begins. */
function fullest(times, width) {
  const sorted = [...times].sort((a, b) => a - b);
  let most = 0;
  let first = 0;
  sorted.forEach((time, last) => {
    while (time - sorted[first] > width) first++;
    most = Math.max(most, last - first + 1);
  });
  return most / times.length;
}

/**
 * @param {{ readers: number, signal: string, fixed: number, spread: {min: number, max: number}, grace?: number }} how
 * @returns {Promise<{ms: number, sides: {counts: number[], fullest: number}[], ratio: number}>} `ms` from the first return to the
 *   last, of both servers; of each how many came in each tenth of it, and the part that came in the fullest such time
 */
async function storm({ readers, signal, fixed, spread, grace = 0 }) {
  const sides = [new Side(fixed, grace), new Side(spread, grace)];
  try {
    await Promise.all(sides.map((side) => side.open(readers)));
    await Promise.all(sides.map((side) => side.restart(signal)));
    const times = await Promise.all(sides.map((side) => side.returns()));
    const [from, to] = [Math.min(...times.flat()), Math.max(...times.flat())];
    const ms = to - from;
    const seen = times.map((side) => {
      return { counts: tenths(side, from, to), fullest: fullest(side, ms / TENTHS) };
    });
    return { ms, sides: seen, ratio: seen[0].fullest / seen[1].fullest };
  } finally {
    await Promise.all(sides.map((side) => side.close()));
  }
}

/** As lines: a bar for each tenth, of both, and what it comes to. */
function report({ ms, sides, ratio }, names) {
  const lines = sides.flatMap(({ counts, fullest: part }, i) => {
    const all = counts.reduce((a, b) => a + b);
    const bars = counts.map((n) => {
      return `    ${String(n).padStart(5)} ${'#'.repeat(Math.round((50 * n) / all))}`;
    });
    return [
      `  ${names[i]}: ${Math.round(100 * part)} % within ${Math.round(ms / TENTHS)} ms`,
      ...bars,
    ];
  });
  return [...lines, `  ratio ${ratio.toFixed(1)}`];
}

async function main() {
  const readers = Number(process.argv[2] ?? 1_000);
  const how = { readers, fixed: 3_500, spread: { min: 2_000, max: 5_000 } };
  const names = ['retry 3.5 s for all', 'retry 2 to 5 s'];
  console.log(`${readers} readers of each, the process is killed`);
  console.log(report(await storm({ ...how, signal: 'SIGKILL' }), names).join('\n'));
  console.log(`${readers} readers of each, hub.close({ grace: 10_000 })`);
  console.log(report(await storm({ ...how, signal: 'SIGTERM', grace: 10_000 }), names).join('\n'));
}

if (require.main === module) main();

module.exports = { report, storm };
