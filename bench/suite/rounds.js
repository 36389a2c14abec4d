'use strict';

const os = require('node:os');
const { performance } = require('node:perf_hooks');
const { loadDriver, whyNot } = require('./driver');
const { cpuTimes, othersBetween } = require('./machine');
const { Measurement } = require('./measurement');
const { summaries } = require('./statistics');

const OURS = ['fanline', 'fanline-detached', 'fanline-relay', 'fanline-tls'];
const LAST = ['nchan', 'bare', 'at-the-end']; // not in JavaScript, or no server at all

/** Where a driver's row stands: ours first, then the others as the scenario names them. */
const placeOf = (name) =>
  OURS.includes(name) ? OURS.indexOf(name) - OURS.length : LAST.indexOf(name) + 1;

const GIVE_UP_AFTER = 2; // failed measurements of a driver in one variant

function lacking({ needs }, { has }) {
  const lacks = needs.filter((capability) => !has.includes(capability));
  return lacks.length > 0 ? `it has no ${lacks.join(', no ')}` : undefined;
}

/**
 * What a run is made of: an entry for each scenario, variant and driver that can take part; `why`: it can't run here.
 * @param {{ scenario: object, drivers: string[], variants: string[] }[]} chosen
 * @param {object} settings  that replace a variant's own
 */
function plan(chosen, settings) {
  return chosen.flatMap(({ scenario, drivers, variants }) =>
    variants.flatMap((variant) => {
      const own = scenario.variants[variant];
      const known = Object.entries(settings).filter(([key]) => key in own);
      const merged = { ...own, ...Object.fromEntries(known) };
      return drivers.flatMap((name) => {
        const driver = loadDriver(name);
        const has = (capability) => driver.has.includes(capability);
        if (scenario.able && !scenario.able(has, merged)) return [];
        return {
          scenario,
          variant,
          settings: merged,
          name,
          driver,
          why: lacking(scenario, driver) ?? whyNot(driver),
          seconds: [], // that its measurements took
          rounds: [],
          failures: [],
        };
      });
    }),
  );
}

/** Rounds of all entries, which can be stopped between two measurements and within one. */
class Run {
  #entries;
  #rounds;
  #onProgress;
  #current;
  #stopped = false;
  #done = 0;
  history = []; // of each round: { others, steal, load_average }

  constructor(entries, rounds, onProgress = () => {}) {
    this.#entries = entries.filter(({ why }) => !why);
    this.#rounds = rounds;
    this.#onProgress = onProgress;
  }

  stop() {
    this.#stopped = true;
    this.#current?.abort(new Error('stopped'));
  }

  get stopped() {
    return this.#stopped;
  }

  /** Of each entry what it took so far, of a new one what they take on average. */
  #secondsLeft(round) {
    const mean = (list) => list.reduce((sum, one) => sum + one, 0) / list.length;
    const all = this.#entries.flatMap(({ seconds }) => seconds);
    if (all.length === 0) return undefined;
    const position = this.#done - (round - 1) * this.#entries.length;
    return this.#entries.reduce((sum, { seconds }, index) => {
      const times = this.#rounds - round + (index >= position ? 1 : 0);
      return sum + times * mean(seconds.length > 0 ? seconds : all);
    }, 0);
  }

  async #measure(entry, round) {
    const start = performance.now();
    this.#current = new Measurement(entry.scenario, entry.driver, entry.name, entry.settings);
    try {
      const { series, ...numbers } = await this.#current.run();
      const seconds = (performance.now() - start) / 1000;
      entry.rounds.push({ round, seconds, numbers, series });
    } catch (err) {
      if (!this.#stopped)
        entry.failures.push({ round, reason: err.message.split('\n')[0].slice(0, 300) });
    } finally {
      this.#current = undefined;
      entry.seconds.push((performance.now() - start) / 1000);
    }
  }

  /**
   * Round after round, so that a slow minute of the machine does not hit one driver alone; within a round the drivers of a variant come one
   * after the other.
   */
  async go() {
    for (let round = 1; round <= this.#rounds; round++) {
      const before = cpuTimes();
      const load_before = os.loadavg()[0];
      for (const entry of this.#entries) {
        if (this.#stopped) return;
        const left = this.#secondsLeft(round);
        const total = this.#entries.length * this.#rounds;
        this.#onProgress({ round, entry, done: this.#done, total, left });
        if (entry.failures.length < GIVE_UP_AFTER) await this.#measure(entry, round);
        this.#done++;
      }
      if (this.#stopped) return; // within the last one
      this.history.push({
        ...othersBetween(before, cpuTimes()),
        load_before,
        load_after: os.loadavg()[0],
      });
    }
  }
}

/** The part of the results file: scenario → variant → driver. */
function resultsOf(entries) {
  const results = {};
  const shown = [...entries].sort((a, b) => placeOf(a.name) - placeOf(b.name));
  for (const { scenario, variant, settings, name, why, rounds, failures } of shown) {
    results[scenario.name] ??= { variants: {} };
    results[scenario.name].variants[variant] ??= { settings, drivers: {} };
    const found = { values: summaries(rounds.map(({ numbers }) => numbers)), rounds };
    if (why) found.why = why;
    if (failures.length > 0) found.failures = failures;
    results[scenario.name].variants[variant].drivers[name] = found;
  }
  return results;
}

/** What the drivers of a run say about themselves. */
function driversOf(entries) {
  const out = {};
  const shown = [...entries].sort((a, b) => placeOf(a.name) - placeOf(b.name));
  for (const { name, driver, why } of shown)
    out[name] ??= { what: driver.what, ...(why ? { why } : { versions: driver.versions() }) };
  return out;
}

module.exports = { Run, driversOf, plan, resultsOf };
