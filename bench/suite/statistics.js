'use strict';

/** Of an even number the lower one of the two in the middle: it has been measured. */
function median(list) {
  const sorted = [...list].sort((a, b) => a - b);
  return sorted[(sorted.length - 1) >> 1];
}

/** @param {number[]} values  at least one */
function summary(values) {
  return {
    median: median(values),
    min: Math.min(...values),
    max: Math.max(...values),
  };
}

/** Of each key that any measurement has a number for. */
function summaries(rounds) {
  const keys = new Set(rounds.flatMap((round) => Object.keys(round)));
  const out = {};
  for (const key of keys) {
    const values = rounds.map((round) => round[key]).filter(Number.isFinite);
    if (values.length > 0) out[key] = summary(values);
  }
  return out;
}

module.exports = { median, summaries, summary };
