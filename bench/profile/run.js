'use strict';

// npm run bench -- profile [scenario …] [driver …] [--set key=value]
//
// Where the server's CPU goes: a measurement of each driver with perf at work between the two usage() that the scenario takes.
// What each place costs is its share of the samples times the CPU per delivery, which perf makes dearer by some percent: read the shares.
// A part of the kernel's work for the reader is paid for by the sender, because both are on one machine.

const { driverNames, loadDriver, whyNot } = require('../suite/driver');
const { Measurement } = require('../suite/measurement');
const { buildNative } = require('../suite/native');
const { loadScenario, scenarioNames } = require('../suite/scenario');
const { names, placeOf } = require('./places');
const { Recording, version, whyNot: whyNoPerf } = require('./record');

const SCENARIOS = ['paced', 'flood', 'rooms', 'tokens'];
const DRIVERS = ['fanline', 'res-write', 'bare'];

/** The same measurement, recorded: counts of samples by place, and by whether they are of the JavaScript thread. */
async function profile(scenario, name, settings) {
  const found = { places: new Map(), samples: 0, js: 0 };
  const measurement = new Measurement(scenario, loadDriver(name), name, settings);
  const { start } = measurement.bench;
  measurement.bench.start = async (options) => {
    const server = await start(options);
    const usage = server.usage.bind(server);
    let recording = null;
    server.usage = async () => {
      if (recording === null) {
        recording = await Recording.start(server.pids);
        return usage();
      }
      const after = await usage();
      const ended = recording;
      recording = null;
      Object.assign(found, { places: new Map(), samples: 0, js: 0 }); // where there are several, the last counts
      await ended.stop((sample) => {
        const place = placeOf(sample);
        found.places.set(place, (found.places.get(place) ?? 0) + 1);
        found.samples++;
        if (sample.tid === server.pids[0]) found.js++;
      });
      return after;
    };
    return server;
  };
  found.numbers = await measurement.run();
  return found;
}

/** µs for each delivery, or where a scenario counts by client, for each client. */
const costOf = ({ cpu_us, cpu_ms }) => cpu_us ?? cpu_ms * 1_000;

function print(scenario, variant, byDriver) {
  const drivers = Object.keys(byDriver);
  console.log(`\n${scenario.title} (${variant}): µs for each delivery (or client), and share\n`);
  console.log(`| where | ${drivers.join(' | ')} |\n|---|${drivers.map(() => '---|').join('')}`);
  const row = (title, of) =>
    console.log(`| ${title} | ${drivers.map((d) => of(byDriver[d])).join(' | ')} |`);
  for (const place of names) {
    if (!drivers.some((d) => byDriver[d].places.has(place))) continue;
    row(place, ({ places, samples, numbers }) => {
      const share = (places.get(place) ?? 0) / samples;
      return `${(share * costOf(numbers)).toFixed(3)} (${(share * 100).toFixed(1)} %)`;
    });
  }
  row('in all', ({ numbers }) => costOf(numbers).toFixed(3));
  row('of it the first thread', ({ js, samples }) => `${((js / samples) * 100).toFixed(1)} %`);
  row('samples', ({ samples }) => samples);
}

function isAble(scenario, driver, settings) {
  const has = (capability) => driver.has.includes(capability);
  return !whyNot(driver) && (scenario.able?.(has, settings) ?? true);
}

function take(args) {
  const settings = {};
  for (let at = args.indexOf('--set'); at >= 0; at = args.indexOf('--set')) {
    const [key, value] = (args.splice(at, 2)[1] ?? '').split('=');
    settings[key] = Number(value);
  }
  const scenarios = args.filter((name) => scenarioNames().includes(name));
  const drivers = args.filter((name) => driverNames().includes(name));
  const unknown = args.filter((name) => !scenarios.includes(name) && !drivers.includes(name));
  if (unknown.length > 0 || Object.values(settings).some(Number.isNaN)) {
    throw new Error(
      `profile [scenario …] [driver …] [--set key=number]; unknown: ${unknown.join(' ')}`,
    );
  }
  return {
    scenarios: scenarios.length > 0 ? scenarios : SCENARIOS,
    drivers: drivers.length > 0 ? drivers : DRIVERS,
    settings,
  };
}

async function main(args) {
  const why = whyNoPerf();
  if (why) throw new Error(why);
  const { scenarios, drivers, settings } = take(args);
  buildNative();
  console.log(`${await version()}, Node ${process.version}`);
  for (const name of scenarios) {
    const scenario = loadScenario(name);
    for (const [variant, own] of Object.entries(scenario.variants)) {
      const byDriver = {};
      const wanted = [...scenario.drivers, ...scenario.more].filter((d) => drivers.includes(d));
      for (const driver of wanted.filter((d) =>
        isAble(scenario, loadDriver(d), { ...own, ...settings }),
      )) {
        byDriver[driver] = await profile(scenario, driver, { ...own, ...settings });
      }
      print(scenario, variant, byDriver);
    }
  }
}

module.exports = { main, profile };
