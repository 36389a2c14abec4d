'use strict';

// Charts with lines, made of a scenario's results.

const { drawing } = require('./lines');
const { shortNumber } = require('./style');
const { leastSquares, median } = require('../statistics');

/** One line for each driver through all variants: x is a setting, y a column. */
function lines({ key, x, title, subtitle, unit, xTitle, log, atLeast, variants }) {
  const lists = {};
  const ticks = new Set();
  for (const { settings, drivers } of variants) {
    for (const [driver, { values }] of Object.entries(drivers)) {
      if (values[key] === undefined) continue;
      ticks.add(settings[x]);
      lists[driver] ??= { points: [] };
      const { median: y, min, max } = values[key];
      lists[driver].points.push({ x: settings[x], y, min, max });
    }
  }
  for (const { points } of Object.values(lists)) points.sort((a, b) => a.x - b.x);
  const sorted = [...ticks].sort((a, b) => a - b);
  const names = { xName: xTitle ?? x, yName: unit };
  return drawing({ title, subtitle, lists, log, ticks: sorted, atLeast, ...names });
}

/** Of the rounds the one whose last value is the median. */
function typical(rounds, name) {
  const lists = rounds.map(({ series }) => series?.[name]).filter((list) => list?.length > 0);
  if (lists.length === 0) return undefined;
  const last = median(lists.map((list) => list.at(-1)[1]));
  return lists.find((list) => list.at(-1)[1] === last).map(([x, y]) => ({ x, y }));
}

const ofVariant = (variants, name) =>
  (variants.find(({ variant }) => variant === name) ?? variants[0]).drivers;

/** What measure() gave as `series`, of one variant. */
function series({ series: name, title, subtitle, unit, xTitle, variant, variants, ...chart }) {
  const lists = {};
  for (const [driver, { rounds }] of Object.entries(ofVariant(variants, variant))) {
    const points = typical(rounds, name);
    if (points) lists[driver] = { points };
  }
  const { log, atLeast } = chart;
  return drawing({ title, subtitle, lists, log, atLeast, xName: xTitle, yName: unit });
}

/** Points of a series with the straight line through them; the slope is a column, told at its end. */
function points({ series: name, title, subtitle, unit, xTitle, variant, variants, ...chart }) {
  const { slope, slopeUnit } = chart;
  const lists = {};
  for (const [driver, { rounds, values }] of Object.entries(ofVariant(variants, variant))) {
    const own = typical(rounds, name);
    if (!own || own.length < 2) continue;
    const line = leastSquares(own.map(({ x, y }) => [x, y]));
    const ends = [own[0].x, own.at(-1).x].map((x) => ({ x, y: line.start + line.slope * x }));
    const note = values[slope] && `${shortNumber(values[slope].median)} ${slopeUnit}`;
    lists[driver] = { points: own, line: ends, note };
  }
  return drawing({ title, subtitle, lists, xName: xTitle, yName: unit });
}

module.exports = { lines, points, series };
