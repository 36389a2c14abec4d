'use strict';

const assert = require('node:assert/strict');
const { merged } = require('../../bench/suite/merge');
const { UsageError } = require('../../bench/suite/options');
const { summaries } = require('../../bench/suite/statistics');

const ran = (...list) => ({
  values: summaries(list.map((us) => ({ us }))),
  rounds: list.map((us, index) => ({ round: index + 1, numbers: { us } })),
});
const file = (day, results, more = {}) => ({
  format: 2,
  started: `2026-01-0${day}T00:00:00.000Z`,
  finished: `2026-01-0${day}T01:00:00.000Z`,
  commit: 'abc',
  machine: { cpu: 'x', cores: 2, system: 'Linux', node: 'v20' },
  rounds: 2,
  history: [{ others: day }, { others: day }],
  drivers: {},
  results,
  ...more,
});
const paced = (drivers, settings = { clients: 10 }) => ({
  paced: { variants: { one: { settings, drivers } } },
});

describe('bench: several results files as one', () => {
  it('one file is itself', () => {
    const one = file(1, paced({ fanline: ran(1) }));
    assert.equal(merged([one]), one);
  });

  it('scenarios, variants and drivers of all files are in it', () => {
    const a = file(1, paced({ fanline: ran(1, 2) }), { drivers: { fanline: { what: 'a' } } });
    const b = file(2, {
      ...paced({ 'res-write': ran(3, 4) }),
      flood: { variants: { two: { settings: {}, drivers: { bare: ran(5, 6) } } } },
    });
    const { results, history, drivers, rounds, finished } = merged([b, a]);
    assert.deepEqual(Object.keys(results), ['paced', 'flood']);
    assert.deepEqual(Object.keys(results.paced.variants.one.drivers), ['fanline', 'res-write']);
    assert.deepEqual(results.flood.variants.two.drivers.bare.values.us.max, 6);
    assert.deepEqual(
      history.map(({ others }) => others),
      [1, 1, 2, 2],
    );
    assert.deepEqual([Object.keys(drivers), rounds, finished], [['fanline'], 2, b.finished]);
  });

  it('rounds of the same are added behind each other, and their median is that of all', () => {
    const a = file(1, paced({ fanline: ran(1, 2), 'res-write': ran(10, 20) }));
    const b = file(2, paced({ fanline: ran(9, 8), 'res-write': ran(30, 40) }));
    const { results, rounds } = merged([a, b]);
    const { fanline, 'res-write': other } = results.paced.variants.one.drivers;
    assert.deepEqual(fanline.values.us, { median: 2, min: 1, max: 9 });
    assert.equal(rounds, 4);
    for (const { rounds: own } of [fanline, other])
      assert.deepEqual(
        own.map(({ round }) => round),
        [1, 2, 3, 4],
      );
    assert.equal(
      fanline.rounds[2].numbers.us / other.rounds[2].numbers.us,
      0.3,
      'of the same round',
    );
  });

  it('failures stay with their round; what could not run at first and did later has run', () => {
    const a = file(
      1,
      paced({
        fanline: { ...ran(), why: 'missing' },
        bare: { ...ran(1), failures: [{ round: 2, reason: 'x' }] },
      }),
    );
    const b = file(
      2,
      paced({ fanline: ran(1, 2), bare: { ...ran(1), failures: [{ round: 2, reason: 'y' }] } }),
    );
    const { fanline, bare } = merged([a, b]).results.paced.variants.one.drivers;
    assert.equal(fanline.why, undefined);
    assert.deepEqual(bare.failures, [
      { round: 2, reason: 'x' },
      { round: 4, reason: 'y' },
    ]);
    const never = merged([a, a]).results.paced.variants.one.drivers.fanline;
    assert.equal(never.why, 'missing');
  });

  it('the files stay as they were', () => {
    const a = file(1, paced({ fanline: ran(1) }));
    const copy = structuredClone(a);
    merged([a, file(2, paced({ fanline: ran(2) }))]);
    assert.deepEqual(a, copy);
  });

  it('runs of different machines, versions, commits or settings are refused', () => {
    const a = file(1, paced({ fanline: ran(1) }));
    const refused = (b, text) =>
      assert.throws(
        () => merged([a, b]),
        (err) => err instanceof UsageError && text.test(err.message),
      );
    refused(file(2, {}, { machine: { ...a.machine, cores: 8 } }), /cores 2, 8/);
    refused(file(2, {}, { machine: { ...a.machine, node: 'v22' } }), /node v20, v22/);
    refused(file(2, {}, { commit: 'def' }), /commits abc, def/);
    refused(
      file(2, paced({ fanline: ran(1) }, { clients: 11 })),
      /paced, one was measured with different settings/,
    );
  });
});
