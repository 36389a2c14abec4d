'use strict';

const assert = require('node:assert/strict');
const fs = require('node:fs');
const path = require('node:path');
const { CAPABILITIES, driverNames, loadDriver } = require('../../bench/suite/driver');
const { limitOf } = require('../../bench/suite/goals');
const { loadScenario, scenarioNames } = require('../../bench/suite/scenario');

const scenarios = scenarioNames().map(loadScenario);
const everyVariant = scenarios.flatMap((scenario) =>
  Object.entries(scenario.variants).map(([name, settings]) => ({ scenario, name, settings })),
);

describe('bench: what scenarios and drivers say of themselves', () => {
  it('no driver has the name of a scenario or of a command', () => {
    const names = [
      ...driverNames(),
      ...scenarioNames(),
      'check',
      'report',
      'profile',
      'distribution',
    ];
    assert.equal(new Set(names).size, names.length);
  });

  for (const name of driverNames()) {
    it(`driver ${name}: one line of what it is, capabilities that there are`, () => {
      const { what, has } = loadDriver(name);
      assert.match(what, /^\S.{10,}$/);
      assert.ok(has.length > 0 && new Set(has).size === has.length);
      for (const capability of has) assert.ok(capability in CAPABILITIES, capability);
    });
  }

  for (const scenario of scenarios) {
    it(`scenario ${scenario.name}: names drivers that there are and that can do what it needs`, () => {
      const names = [...scenario.drivers, ...scenario.more];
      assert.equal(new Set(names).size, names.length, 'each once');
      for (const name of names) {
        assert.ok(driverNames().includes(name), name);
        const { has } = loadDriver(name);
        for (const capability of scenario.needs)
          assert.ok(has.includes(capability), `${name}: ${capability}`);
      }
      assert.ok(scenario.drivers.includes('fanline'));
      for (const name of scenario.brief ?? []) assert.ok(name in scenario.variants, name);
    });

    it(`scenario ${scenario.name}: limits that can be judged, columns that charts and tables can show`, () => {
      for (const { what, must, aim } of scenario.goals) {
        assert.match(what, /^\S/);
        for (const limit of [must, aim]) if (limit !== undefined) limitOf(limit);
      }
      const keys = scenario.columns.map(({ key }) => key);
      assert.equal(new Set(keys).size, keys.length);
      for (const { key, slope } of scenario.charts ?? [])
        for (const column of [key, slope])
          assert.ok(column === undefined || keys.includes(column), `a chart of ${column}`);
      const files = (scenario.charts ?? []).map((chart) => chart.name ?? scenario.name);
      assert.equal(new Set(files).size, files.length, 'each chart has a file of its own');
    });
  }

  it('bench/README.md has a row for each scenario and each driver, and none besides', () => {
    const text = fs.readFileSync(path.join(__dirname, '../../bench/README.md'), 'utf8');
    const rowsOf = (title) =>
      text
        .split(`## ${title}\n`)[1]
        .split('\n## ')[0]
        .split('\n')
        .filter((line) => line.startsWith('| `'))
        .flatMap((line) => line.split('|')[1].match(/[\w.-]+/g))
        .sort();
    assert.deepEqual(rowsOf('Scenarios'), scenarioNames().sort());
    assert.deepEqual(rowsOf('Drivers'), driverNames());
  });

  it('what makes a variant big can be set small: each has a number of clients, or one from which and one to which they grow', () => {
    for (const { scenario, name, settings } of everyVariant) {
      const { clients, from = clients, to = clients } = settings;
      assert.ok(Number.isInteger(from) && Number.isInteger(to), `${scenario.name}, ${name}`);
    }
  });
});
