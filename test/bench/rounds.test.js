'use strict';

const assert = require('node:assert/strict');
const { setTimeout: sleep } = require('node:timers/promises');
const { Run, plan, resultsOf } = require('../../bench/suite/rounds');

/** Entries as plan() makes them, of a scenario that starts no process. */
function entriesOf(measures, log = []) {
  const scenario = { name: 's' };
  return Object.entries(measures).map(([name, measure]) => ({
    scenario: {
      ...scenario,
      measure: async (bench) => {
        log.push(name);
        return measure(bench);
      },
    },
    variant: 'v',
    settings: { clients: 1 },
    name,
    driver: { has: [] },
    seconds: [],
    rounds: [],
    failures: [],
  }));
}
const driversOf = (entries) => resultsOf(entries).s.variants.v.drivers;

describe('bench: rounds', () => {
  it('drivers are interleaved', async () => {
    const log = [];
    const one = async () => ({ us: 1 });
    await new Run(entriesOf({ a: one, b: one, c: one }, log), 3).go();
    assert.equal(log.join(''), 'abcabcabc');
  });

  it('each round is kept, with its series; the median is of all of them', async () => {
    const numbers = [3, 1, 2];
    const entries = entriesOf({
      a: async () => ({ us: numbers.shift(), series: { x: [[0, 1]] } }),
    });
    await new Run(entries, 3).go();
    const { values, rounds } = driversOf(entries).a;
    assert.deepEqual(values, { us: { median: 2, min: 1, max: 3 } });
    const { seconds, ...second } = rounds[1];
    assert.deepEqual(second, { round: 2, numbers: { us: 1 }, series: { x: [[0, 1]] } });
    assert.ok(seconds >= 0 && seconds < 5);
  });

  it('a driver that fails is told with its reason and does not end the run', async () => {
    const log = [];
    let times = 0;
    const entries = entriesOf(
      {
        a: async () => {
          if (++times === 2) throw new Error('3 events lost\nat somewhere');
          return { us: 1 };
        },
        b: async () => ({ us: 2 }),
      },
      log,
    );
    await new Run(entries, 3).go();
    assert.equal(log.join(''), 'ababab');
    const { a, b } = driversOf(entries);
    assert.deepEqual(a.failures, [{ round: 2, reason: '3 events lost' }]);
    assert.deepEqual(
      a.rounds.map(({ round }) => round),
      [1, 3],
    );
    assert.equal(b.failures, undefined);
  });

  it('a driver that has failed twice is given up', async () => {
    const log = [];
    const fails = async () => {
      throw new Error('no');
    };
    await new Run(entriesOf({ a: fails, b: async () => ({}) }, log), 4).go();
    assert.equal(log.join(''), 'ababbb');
  });

  it('a driver that cannot run here is not measured, and its reason kept', async () => {
    const log = [];
    const entries = entriesOf({ a: async () => ({}), b: async () => ({}) }, log);
    entries[0].why = 'nginx is missing';
    await new Run(entries, 2).go();
    assert.equal(log.join(''), 'bb');
    assert.equal(driversOf(entries).a.why, 'nginx is missing');
  });

  it('stop() ends the measurement that is under way, its processes too, and keeps what was there', async () => {
    let ended = false;
    const entries = entriesOf({
      a: async () => ({ us: 1 }),
      b: async ({ onEnd }) => {
        onEnd(() => {
          ended = true;
        });
        setImmediate(() => run.stop());
        await sleep(60_000, undefined, { ref: false });
      },
    });
    const run = new Run(entries, 2);
    await run.go();
    assert.equal(ended, true);
    assert.deepEqual(Object.keys(driversOf(entries).a.values), ['us']);
    assert.equal(driversOf(entries).b.failures, undefined);
    assert.equal(run.history.length, 0);
  });

  it('what a measurement has started ends with it, the last first, also when it fails', async () => {
    const log = [];
    const entries = entriesOf({
      a: async ({ onEnd }) => {
        onEnd(() => log.push('server'));
        onEnd(() => log.push('load'));
        throw new Error('no');
      },
    });
    await new Run(entries, 1).go();
    assert.deepEqual(log, ['load', 'server']);
  });

  it('the time left is that of what is still to come, each as long as it took', async () => {
    const told = [];
    const entries = entriesOf({
      a: () => sleep(30).then(() => ({})),
      b: () => sleep(90).then(() => ({})),
    });
    await new Run(entries, 2, ({ left }) => told.push(left)).go();
    const [[a], [b]] = entries.map(({ seconds }) => seconds);
    const expected = [undefined, 3 * a, a + b, b]; // nothing is known; three more like a; a and b; b
    assert.deepEqual(
      told.map((left) => left?.toFixed(6)),
      expected.map((left) => left?.toFixed(6)),
    );
  });

  it('rows stand in one order whatever runs first: ours, others, those that are no JavaScript', () => {
    const one = async () => ({ us: 1 });
    const names = ['bare', 'res-write', 'fanline-relay', 'nchan', 'better-sse', 'fanline'];
    const entries = entriesOf(Object.fromEntries(names.map((name) => [name, one])));
    assert.deepEqual(Object.keys(driversOf(entries)), [
      'fanline',
      'fanline-relay',
      'res-write',
      'better-sse',
      'nchan',
      'bare',
    ]);
  });
});

describe('bench: what a run is made of', () => {
  const scenario = {
    name: 's',
    needs: ['broadcast'],
    variants: { a: { clients: 10, hz: 1 }, b: { clients: 20, way: 'pipe' } },
    measure: async () => ({}),
  };
  const planned = (more, drivers, settings = {}) =>
    plan([{ scenario: { ...scenario, ...more }, drivers, variants: ['a', 'b'] }], settings);

  it('every variant with every driver; a setting replaces that of the variants which have it', () => {
    const entries = planned({}, ['fanline', 'res-write'], { clients: 5, hz: 7 });
    assert.deepEqual(
      entries.map(({ variant, name, settings }) => [variant, name, settings]),
      [
        ['a', 'fanline', { clients: 5, hz: 7 }],
        ['a', 'res-write', { clients: 5, hz: 7 }],
        ['b', 'fanline', { clients: 5, way: 'pipe' }],
        ['b', 'res-write', { clients: 5, way: 'pipe' }],
      ],
    );
  });

  it('a driver without what the scenario needs does not run, and that is its reason', () => {
    const [entry] = planned({ needs: ['broadcast', 'stats'] }, ['res-write']);
    assert.equal(entry.why, 'it has no stats');
  });

  it('a driver that is not able to take part in a variant is left out of that one only', () => {
    const able = (has, { way }) => way !== 'pipe' || has('pipe');
    const entries = planned({ able }, ['fanline', 'bare']);
    assert.deepEqual(
      entries.map(({ variant, name }) => `${variant} ${name}`),
      ['a fanline', 'a bare', 'b fanline'],
    );
  });
});
