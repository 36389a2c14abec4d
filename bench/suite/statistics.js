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

/**
 * The straight line nearest to points.
 * @param {[number, number][]} points  of at least two different x
 */
function leastSquares(points) {
  const mean = (at) => points.reduce((sum, point) => sum + point[at], 0) / points.length;
  const [mx, my] = [mean(0), mean(1)];
  const sum = (of) => points.reduce((total, [x, y]) => total + of(x - mx, y - my), 0);
  const slope = sum((x, y) => x * y) / sum((x) => x * x);
  return { slope, start: my - slope * mx };
}

module.exports = { leastSquares, median, summaries, summary };
