'use strict';

const os = require('node:os');
const { performance } = require('node:perf_hooks');
const { loadDriver, whyNot } = require('./driver');
const { Measurement } = require('./measurement');
const { summaries } = require('./statistics');

const GIVE_UP_AFTER = 2; // failed measurements of a driver in one variant

/** What a run is made of: one entry for each scenario, variant, driver that can take part; `why` if it can't run here. */
function plan(scenarios, settings) {
  return scenarios.flatMap(({ scenario, drivers }) =>
    Object.entries(scenario.variants).flatMap(([variant, own]) =>
      drivers.map((name) => {
        const driver = loadDriver(name);
        const merged = { ...own, ...settings };
        const why = whyNot(driver);
        return { scenario, variant, settings: merged, name, driver, why, rounds: [], failures: [] };
      }),
    ),
  );
}

async function measureOnce(entry, round, state) {
  const measurement = new Measurement(entry.scenario, entry.driver, entry.name, entry.settings);
  state.current = measurement;
  try {
    const { series, ...numbers } = await measurement.run();
    entry.rounds.push({ round, numbers, series });
  } catch (err) {
    if (state.stopped) return;
    entry.failures.push({ round, reason: err.message.split('\n')[0] });
  } finally {
    state.current = null;
  }
}

/**
 * All entries, round after round, so that a slow minute of the machine does not hit one driver alone; within a round, drivers of a variant
 * come one after the other.
 *
 * @param {(info: object) => void} onProgress
 * @param {{ stopped: boolean, current: Measurement | null }} state  `stopped` ends the run before the next measurement
 * @returns {Promise<{ load_average: number[], rounds: number }>}
 */
async function runRounds(entries, rounds, onProgress, state) {
  const able = entries.filter((entry) => !entry.why);
  const load_average = [os.loadavg()[0]];
  const start = performance.now();
  const total = able.length * rounds;
  let done = 0;
  for (let round = 1; round <= rounds; round++) {
    for (const entry of able) {
      if (state.stopped) return { load_average, rounds: round - 1 };
      const elapsed = (performance.now() - start) / 1000;
      const left = done > 0 ? (elapsed / done) * (total - done) : undefined;
      onProgress({ round, rounds, entry, done, total, left });
      if (entry.failures.length < GIVE_UP_AFTER) await measureOnce(entry, round, state);
      done++;
    }
    load_average.push(os.loadavg()[0]);
  }
  return { load_average, rounds };
}

/** The part of the results file: scenario → variant → driver. */
function resultsOf(entries) {
  const results = {};
  for (const { scenario, variant, settings, name, why, rounds, failures } of entries) {
    results[scenario.name] ??= { variants: {} };
    results[scenario.name].variants[variant] ??= { settings, drivers: {} };
    const found = { values: summaries(rounds.map(({ numbers }) => numbers)), rounds };
    if (why) found.why = why;
    if (failures.length > 0) found.failures = failures;
    results[scenario.name].variants[variant].drivers[name] = found;
  }
  return results;
}

module.exports = { plan, resultsOf, runRounds };
