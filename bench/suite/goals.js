'use strict';

/** What a figure asks for has not been measured. */
class Unknown extends Error {}

const LIMIT = /^(<=|>=) (\d+(?:\.\d+)?)$/;

/** @returns {(value: number) => boolean} */
function limitOf(text) {
  const [, sign, number] = LIMIT.exec(text) ?? [];
  if (sign === undefined) throw new Error(`a limit is '<= 0.62' or '>= 25', not '${text}'`);
  return sign === '<=' ? (value) => value <= Number(number) : (value) => value >= Number(number);
}

/** `value` of a goal with numbers from `find`; undefined if one of them was not measured. */
function figure(goal, variants, find) {
  const [first] = Object.keys(variants);
  const of = (driver, key, variant = first) => {
    const found = variants[variant]?.drivers[driver];
    const number = found && find(found, key);
    if (number === undefined) throw new Unknown(`${driver}, ${variant}: ${key}`);
    return number;
  };
  try {
    const value = goal.value(of);
    return Number.isFinite(value) ? value : undefined;
  } catch (err) {
    if (err instanceof Unknown) return undefined;
    throw err;
  }
}

const verdict = (limit, value) =>
  limit === undefined ? undefined : limitOf(limit)(value) ? 'met' : 'missed';

/**
 * A figure from the medians, and from each round for itself: how far it swings.
 * @param {object} goal  of a scenario (scenario.js)
 * @param {object} variants  of results[scenario] in a results file
 * @returns {{ value?: number, min?: number, max?: number, must?: 'met' | 'missed', aim?: 'met' | 'missed' }}  without value: not measured
 */
function evaluate(goal, variants) {
  const value = figure(goal, variants, (found, key) => found.values[key]?.median);
  if (value === undefined) return {};
  const all = Object.values(variants).flatMap(({ drivers }) => Object.values(drivers));
  const numbers = new Set(all.flatMap(({ rounds }) => rounds.map(({ round }) => round)));
  const each = [...numbers]
    .map((number) =>
      figure(
        goal,
        variants,
        (found, key) => found.rounds.find(({ round }) => round === number)?.numbers[key],
      ),
    )
    .filter((one) => one !== undefined);
  return {
    value,
    min: each.length > 0 ? Math.min(...each) : undefined,
    max: each.length > 0 ? Math.max(...each) : undefined,
    must: verdict(goal.must, value),
    aim: verdict(goal.aim, value),
  };
}

module.exports = { evaluate, limitOf };
