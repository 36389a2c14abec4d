'use strict';

// A restart with 5,000 readers on it: SIGTERM to the example, a successor on the same port, and every reader where it
// should be, without a storm. Readers live in a process of their own.

const assert = require('node:assert/strict');
const { fork } = require('node:child_process');
const { once } = require('node:events');
const path = require('node:path');
const { Example } = require('../js/support/example');
const { descriptors } = require('../js/support/readers');

const COUNT = Math.min(5_000, descriptors() - 500);
const GRACE = 4_000;
const SPREAD = 0.8 * GRACE; // the rest is for the last ones to drain
const LATE = 500; // ms by which two busy processes may differ
const TENTHS = 10;
const MOST = 0.35; // of all in one tenth: evenly spread it would be 0.1

/** How many of `times` are in each tenth of the time from the first to the last. */
function histogram(times) {
  const first = times.reduce((a, b) => Math.min(a, b));
  const last = times.reduce((a, b) => Math.max(a, b));
  const counts = new Array(TENTHS).fill(0);
  const width = (last - first) / TENTHS;
  for (const time of times) counts[Math.min(TENTHS - 1, Math.floor((time - first) / width))]++;
  return { first, last, counts };
}

function show(title, { first, last, counts }, begun) {
  console.log(`        ${title}, from ${first - begun} to ${last - begun} ms after SIGTERM:`);
  for (const count of counts) {
    const bar = '#'.repeat(Math.round((60 * count) / COUNT));
    console.log(`        ${String(count).padStart(6)} ${bar}`);
  }
}

function isSpread({ counts }, what) {
  for (const count of counts) assert.ok(count <= MOST * COUNT, `${what}: ${counts}`);
}

describe('a restart with 5,000 readers', function () {
  this.timeout(60_000);
  const toClose = [];
  let seen; // by each reader: see support/returning.js
  let began; // SIGTERM
  let old;
  let successor;
  let exit;
  let matched;

  before(async () => {
    old = new Example('shutdown', { GRACE: String(GRACE) });
    toClose.push(old);
    const [, port] = await old.prints(/listens on port (\d+)/);

    const readers = fork(path.join(__dirname, '..', 'js', 'support', 'returning-child.js'), {
      execArgv: [],
    });
    const gone = once(readers, 'exit');
    toClose.push({ close: () => readers.disconnect() ?? gone });
    const ask = async (message) => {
      const answer = once(readers, 'message');
      readers.send(message);
      return (await answer)[0];
    };
    await ask({ open: { port, path: '/rooms/lobby/events', count: COUNT } });

    began = Date.now();
    old.signal('SIGTERM');
    await old.prints(/Streams ended: /);
    successor = new Example('shutdown', { PORT: port });
    toClose.push(successor);
    await successor.prints(/listens on port/);
    exit = await old.exit;
    await ask({ until: 2 });
    seen = await ask({ report: true });
    const url = `http://127.0.0.1:${port}/rooms/lobby`;
    const headers = { 'Content-Type': 'text/plain', Connection: 'close' };
    matched = await (await fetch(url, { method: 'POST', headers, body: 'here?' })).json();
  });
  after(async () => {
    for (const it of toClose.reverse()) await it.close();
  });

  it('all streams end in order within the grace period, spread over it, and none is cut', () => {
    const firsts = seen.map(({ streams }) => streams[0]);
    assert.deepEqual(
      [...new Set(firsts.map(({ pid, ending }) => `${pid} ${ending}`))],
      [`${old.pid} whole`],
    );
    assert.match(old.out, new RegExp(`Streams ended: ${COUNT}, cut: 0`));
    const ends = histogram(firsts.map(({ ended }) => ended));
    show('streams ended', ends, began);
    assert.ok(ends.last - began <= GRACE + LATE, `the last one after ${ends.last - began} ms`);
    assert.ok(ends.last - ends.first >= SPREAD / 2);
    isSpread(ends, 'ends');
  });

  it('the old process exits with 0, and has nothing to complain of', () => {
    assert.deepEqual([exit, old.err], [{ code: 0, signal: null }, '']);
  });

  it('the server ends each connection, so that nobody comes back on an old one', () => {
    assert.equal(
      seen.reduce((sum, { onOld }) => sum + onOld, 0),
      0,
    );
    assert.deepEqual([...new Set(seen.map(({ firstOut }) => firstOut))], ['server']);
  });

  it('they come back spread over more than the grace period', () => {
    const returns = histogram(seen.map(({ tries }) => tries[1]));
    show('came back', returns, began);
    isSpread(returns, 'returns');
    assert.ok(returns.last - returns.first >= SPREAD);
  });

  it('each is taken by the successor, once', () => {
    const pids = seen.map(({ streams }) => streams.map(({ pid }) => pid).join());
    assert.deepEqual([...new Set(pids)], [`${old.pid},${successor.pid}`]);
    assert.deepEqual(matched, { matched: COUNT });
    const away = seen.reduce((sum, { sentAway }) => sum + sentAway, 0);
    const refused = seen.reduce((sum, { refused: times }) => sum + times, 0);
    console.log(`        sent away ${away} times, refused ${refused} times, then taken`);
    const taken = histogram(seen.map(({ streams }) => streams[1].begun));
    show('taken by the successor', taken, began);
    isSpread(taken, 'taken');
  });
});
