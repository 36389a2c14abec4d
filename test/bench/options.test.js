'use strict';

const assert = require('node:assert/strict');
const { UsageError, parseOptions } = require('../../bench/suite/options');

const scenario = (name, drivers, more, settings) => ({
  name,
  drivers,
  more,
  variants: { one: settings, two: settings },
  brief: ['one'],
});
const THERE = {
  scenarios: [
    scenario('paced', ['fanline', 'res-write'], ['hono'], { clients: 4000, hz: 10 }),
    scenario('tokens', ['fanline', 'at-the-end'], [], { clients: 1000, burst: 1 }),
  ],
  drivers: ['at-the-end', 'fanline', 'hono', 'res-write'],
};
const parse = (...args) => parseOptions(args, THERE);
const chosen = (...args) =>
  Object.fromEntries(
    parse(...args).chosen.map(({ scenario, drivers }) => [scenario.name, drivers]),
  );
const refused = (...args) => {
  let message;
  assert.throws(
    () => parse(...args),
    (err) => {
      message = err.message;
      return err instanceof UsageError;
    },
  );
  return message;
};

describe('bench: the command line', () => {
  it('without names: every scenario with the drivers that matter most, three rounds', () => {
    assert.deepEqual(chosen(), {
      paced: ['fanline', 'res-write'],
      tokens: ['fanline', 'at-the-end'],
    });
    assert.equal(parse().rounds, 3);
  });

  it('--full: every driver, five rounds unless said', () => {
    assert.deepEqual(chosen('--full').paced, ['fanline', 'res-write', 'hono']);
    assert.equal(parse('--full').rounds, 5);
    assert.equal(parse('--full', '--rounds', '7').rounds, 7);
  });

  it('a run over everything is brief; --full and scenarios or drivers by name have every variant', () => {
    const variants = (...args) => parse(...args).chosen[0].variants;
    assert.deepEqual(variants(), ['one']);
    for (const args of [['--full'], ['paced'], ['fanline']])
      assert.deepEqual(variants(...args), ['one', 'two']);
  });

  it('scenarios and drivers by name, in any order; each scenario takes the drivers that it has', () => {
    assert.deepEqual(chosen('res-write', 'paced', 'fanline'), { paced: ['fanline', 'res-write'] });
    assert.deepEqual(chosen('at-the-end', 'res-write'), {
      paced: ['res-write'],
      tokens: ['at-the-end'],
    });
  });

  it('a driver that only --full runs is run when it is named', () => {
    assert.deepEqual(chosen('hono'), { paced: ['hono'] });
  });

  it('--set gives numbers and texts, with = or apart, more than once', () => {
    const { settings } = parse('--set', 'clients=100', '--set=hz=2.5', '--set', 'burst=all');
    assert.deepEqual(settings, { clients: 100, hz: 2.5, burst: 'all' });
  });

  it('unknown names are refused with the list of what there is', () => {
    const message = refused('paced', 'flod', 'resWrite');
    assert.match(message, /no flod, no resWrite/);
    assert.match(message, /scenarios: paced tokens\ndrivers: at-the-end fanline hono res-write/);
  });

  it('a driver that can take part in none of the scenarios named is refused', () => {
    assert.match(refused('paced', 'at-the-end'), /in paced there is no at-the-end/);
  });

  it('a setting that no scenario of the run has is refused with the list', () => {
    assert.match(refused('--set', 'client=1'), /no setting client; there are burst clients hz/);
    assert.match(refused('paced', '--set', 'burst=1'), /there are clients hz/);
  });

  for (const args of [
    ['--rounds'],
    ['--rounds', '0'],
    ['--rounds', '2.5'],
    ['--rounds', 'many'],
    ['--rounds=-1'],
    ['--set'],
    ['--set', 'clients'],
    ['--set', '=3'],
    ['--out'],
    ['--fulll'],
    ['-x'],
  ]) {
    it(`${args.join(' ')} is refused`, () => {
      assert.ok(refused(...args).length > 0);
    });
  }
});
