'use strict';

// Each scenario runs with a few clients and finds a number for each of its columns. The drivers are those that need no packages.

const assert = require('node:assert/strict');
const { loadDriver, whyNot } = require('../../bench/suite/driver');
const { Load } = require('../../bench/suite/load');
const { Measurement } = require('../../bench/suite/measurement');
const { buildNative } = require('../../bench/suite/native');
const { loadScenario, scenarioNames } = require('../../bench/suite/scenario');

const DRIVERS = ['fanline', 'res-write', 'bare', 'at-the-end'];

/** What makes a variant big, small. */
const SMALL = {
  clients: 20,
  from: 20,
  to: 40,
  points: 3,
  warm: 10,
  rooms: 10,
  events: 6,
  slow: 6,
  quiet: 4,
  missed: 10,
  hz: 200,
  burst: 2,
  rate: 5_000,
  idle_ms: 100,
  every_us: 5_000,
  settle_ms: 100,
  warm_s: 0.1,
  slice_s: 0.1,
  slices: 2,
};

function small(settings) {
  const own = Object.entries(SMALL).filter(([key]) => settings[key]);
  return { ...settings, ...Object.fromEntries(own) };
}

function measure(scenario, name, settings) {
  return new Measurement(scenario, loadDriver(name), name, small(settings)).run();
}

const isAble = (scenario, name) =>
  scenario.needs.every((capability) => loadDriver(name).has.includes(capability));

describe('bench: scenarios', function () {
  this.timeout(20_000);
  before(function () {
    this.timeout(60_000);
    buildNative();
  });

  for (const scenario of scenarioNames().map(loadScenario)) {
    const variants = new Map(); // of those that are the same when they are small, one
    for (const [variant, settings] of Object.entries(scenario.variants))
      variants.set(JSON.stringify(small(settings)), [variant, settings]);
    for (const [variant, settings] of variants.values()) {
      it(`${scenario.name}, ${variant}: fanline has a number in each column`, async () => {
        const found = await measure(scenario, 'fanline', settings);
        for (const { key } of scenario.columns)
          assert.ok(Number.isFinite(found[key]), `${key}: ${found[key]}`);
        for (const [x, y] of Object.values(found.series ?? {}).flat())
          assert.ok(Number.isFinite(x) && Number.isFinite(y), `${x}, ${y}`);
      });
    }

    const others = [...scenario.drivers, ...scenario.more].filter(
      (name) => name !== 'fanline' && DRIVERS.includes(name) && isAble(scenario, name),
    );
    for (const name of others) {
      it(`${scenario.name}: ${name} can be measured`, async () => {
        const found = await measure(scenario, name, Object.values(scenario.variants)[0]);
        const numbers = scenario.columns.filter(({ key }) => Number.isFinite(found[key]));
        assert.ok(numbers.length > 0);
      });
    }
  }

  async function readsTls() {
    const load = await Load.start({ port: 1 }, 1);
    const { tls } = await load.ask('features');
    load.kill();
    return tls;
  }

  for (const name of ['res-write-tls', 'socket.io', 'nchan']) {
    it(`paced: ${name} is read, too`, async function () {
      const isAbsent = whyNot(loadDriver(name)) || (/tls/.test(name) && !(await readsTls()));
      if (isAbsent) this.skip();
      const scenario = loadScenario('paced');
      const { cpu_us, p99_ms } = await measure(scenario, name, scenario.variants.paced);
      assert.ok(cpu_us > 0 && p99_ms > 0);
    });
  }
});
