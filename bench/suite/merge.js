'use strict';

const { isDeepStrictEqual } = require('node:util');
const { UsageError } = require('./options');
const { summaries } = require('./statistics');

const SAME = ['cpu', 'cores', 'system', 'node'];

/** Runs on different machines, or of different programs, are no rounds of one run. */
function checkSame(files) {
  const [first, ...others] = files;
  for (const other of others) {
    for (const key of SAME) {
      if (first.machine[key] === other.machine[key]) continue;
      throw new UsageError(
        `these are no rounds of one run: ${key} ${first.machine[key]}, ${other.machine[key]}`,
      );
    }
    if (first.commit !== other.commit)
      throw new UsageError(
        `these are no rounds of one run: commits ${first.commit}, ${other.commit}`,
      );
  }
}

/** Adds what one driver has had in a later run, as rounds after its own. */
function addDriver(into, { rounds, failures = [], why }, offset) {
  const later = (one) => ({ ...one, round: one.round + offset });
  into.rounds = [...into.rounds, ...rounds.map(later)];
  const all = [...(into.failures ?? []), ...failures.map(later)];
  if (all.length > 0) into.failures = all;
  if (rounds.length === 0 && why) into.why ??= why;
  if (into.rounds.length > 0) delete into.why;
  into.values = summaries(into.rounds.map(({ numbers }) => numbers));
}

function addVariant(into, { settings, drivers }, offset, name) {
  if (!isDeepStrictEqual(into.settings, settings))
    throw new UsageError(`${name} was measured with different settings`);
  for (const [driver, found] of Object.entries(drivers)) {
    into.drivers[driver] ??= { values: {}, rounds: [] };
    addDriver(into.drivers[driver], found, offset);
  }
}

/**
 * Several results files as one: what was measured at different times of scenarios, or more rounds of the same. Rounds of one file stay
 * together, so that a ratio of one round is of drivers that were interleaved.
 * @param {object[]} files  as readResults() gives them; not changed
 */
function merged(files) {
  if (files.length === 1) return files[0];
  checkSame(files);
  const sorted = [...files].sort((a, b) => a.started.localeCompare(b.started));
  const results = {};
  let offset = 0;
  for (const file of sorted) {
    for (const [scenario, { variants }] of Object.entries(file.results)) {
      results[scenario] ??= { variants: {} };
      for (const [variant, found] of Object.entries(variants)) {
        const into = results[scenario].variants;
        into[variant] ??= { settings: found.settings, drivers: {} };
        addVariant(into[variant], found, offset, `${scenario}, ${variant}`);
      }
    }
    offset += file.rounds;
  }
  const drivers = Object.values(results).flatMap(({ variants }) =>
    Object.values(variants).flatMap((variant) => Object.values(variant.drivers)),
  );
  return {
    ...sorted[0],
    finished: sorted.at(-1).finished,
    rounds: Math.max(...drivers.map(({ rounds }) => rounds.length)),
    stopped: undefined,
    history: sorted.flatMap(({ history }) => history),
    drivers: Object.assign({}, ...sorted.map((file) => file.drivers)),
    results,
  };
}

module.exports = { merged };
