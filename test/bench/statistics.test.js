'use strict';

const assert = require('node:assert/strict');
const { leastSquares, median, summaries } = require('../../bench/suite/statistics');
const { othersBetween } = require('../../bench/suite/machine');

describe('bench: statistics', () => {
  it('the median is in the middle by value, not by text or by place', () => {
    assert.equal(median([100, 9, 30]), 30);
  });

  it('of an even number the median is one that was measured: the lower', () => {
    assert.equal(median([4, 1, 3, 2]), 2);
  });

  it('the list stays as it was', () => {
    const list = [3, 1, 2];
    median(list);
    assert.deepEqual(list, [3, 1, 2]);
  });

  it('each key has median, minimum and maximum of the rounds that have it', () => {
    assert.deepEqual(summaries([{ a: 3, b: 1 }, { a: 1 }, { a: 2, b: undefined, c: Number.NaN }]), {
      a: { median: 2, min: 1, max: 3 },
      b: { median: 1, min: 1, max: 1 },
    });
  });

  it('the straight line through points on one is that line', () => {
    assert.deepEqual(
      leastSquares([
        [2000, 70],
        [4000, 90],
        [9000, 140],
      ]),
      { slope: 0.01, start: 50 },
    );
  });

  it('the straight line leaves the least squares: a point above and one below keep the slope', () => {
    const { slope } = leastSquares([
      [0, 0],
      [1, 2],
      [2, 1],
      [3, 3],
    ]);
    assert.ok(Math.abs(slope - 0.8) < 1e-9, String(slope));
  });

  it('what others had of the machine is what was busy without the run itself', () => {
    const before = { busy: 10, ours: 5, steal: 0, all: 100 };
    const after = { busy: 16, ours: 9, steal: 1, all: 120 };
    assert.deepEqual(othersBetween(before, after), { others: 10, steal: 5 });
  });

  it('ticks that are rounded differently make no negative share', () => {
    const before = { busy: 10, ours: 5, steal: 0, all: 100 };
    assert.equal(othersBetween(before, { busy: 11, ours: 6.02, steal: 0, all: 120 }).others, 0);
  });
});
