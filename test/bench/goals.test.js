'use strict';

const assert = require('node:assert/strict');
const { evaluate, limitOf } = require('../../bench/suite/goals');
const { goal } = require('../../bench/suite/scenario');
const { summaries } = require('../../bench/suite/statistics');

const driver = (...list) => ({
  values: summaries(list),
  rounds: list.map((numbers, index) => ({ round: index + 1, numbers })),
});
const VARIANTS = {
  first: {
    drivers: {
      fanline: driver({ us: 5 }, { us: 6 }, { us: 8 }),
      'res-write': driver({ us: 10 }, { us: 10 }, { us: 20 }),
    },
  },
  second: { drivers: { fanline: driver({ us: 3 }) } },
};
const ratio = (of) => of('fanline', 'us') / of('res-write', 'us');

describe('bench: figures that must be reached', () => {
  it('a figure is made of medians of the first variant; it swings as the rounds do', () => {
    const { value, min, max } = evaluate(goal('x', ratio), VARIANTS);
    assert.deepEqual([value, min, max], [0.6, 0.4, 0.6]);
  });

  it('a figure of another variant is that of the variant named', () => {
    const between = (of) => of('fanline', 'us', 'second') / of('fanline', 'us', 'first');
    assert.equal(evaluate(goal('x', between), VARIANTS).value, 0.5);
  });

  it('a limit that is just reached is met; must and aim are judged apart', () => {
    const { must, aim } = evaluate(goal('x', ratio, { must: '<= 0.6', aim: '<= 0.59' }), VARIANTS);
    assert.deepEqual([must, aim], ['met', 'missed']);
  });

  it('>= is the other way round', () => {
    const { must, aim } = evaluate(goal('x', ratio, { must: '>= 0.61', aim: '>= 0.6' }), VARIANTS);
    assert.deepEqual([must, aim], ['missed', 'met']);
  });

  it('what was not measured is neither met nor missed', () => {
    const nchan = (of) => of('fanline', 'us') / of('nchan', 'us');
    const other = (of) => of('fanline', 'us', 'third');
    const key = (of) => of('fanline', 'ms');
    for (const value of [nchan, other, key])
      assert.deepEqual(evaluate(goal('x', value, { must: '<= 1' }), VARIANTS), {});
    assert.deepEqual(evaluate(goal('x', ratio, { must: '<= 1' }), {}), {});
  });

  it('a division by nothing is no figure', () => {
    const zero = {
      first: { drivers: { fanline: driver({ us: 5 }), 'res-write': driver({ us: 0 }) } },
    };
    assert.deepEqual(evaluate(goal('x', ratio, { must: '>= 1' }), zero), {});
  });

  it('a mistake in a figure is not taken for something unmeasured', () => {
    assert.throws(
      () =>
        evaluate(
          goal('x', (of) => of.nothing.there),
          VARIANTS,
        ),
      TypeError,
    );
  });

  it('a limit that says nothing is refused', () => {
    for (const text of ['0.62', '< 0.62', '<=0.62', '<= x']) assert.throws(() => limitOf(text));
  });
});
