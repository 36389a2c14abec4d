'use strict';

// Charts of a scenario (scenario.js: `charts`), as SVG, drawn without a browser. Each is one of
//
//   { type: 'bars', key, title, unit, variants? }     medians with whiskers from minimum to maximum, a panel for each variant (or only
//                                                     those named)
//   { type: 'lines', key, x, xTitle, title, unit, log? }   one line for each driver through all variants: x is the name of a setting
//                                                     (clients); log: 'x' or 'xy' for logarithmic axes
//   { type: 'series', series, xTitle, title, unit, variant?, log? }   what measure() gave as series[name], of one variant (the first);
//                                                     of several rounds the one whose last value is the median
//   { type: 'points', series, slope, slopeUnit, xTitle, title, unit, variant? }   the same as points with the straight line through
//                                                     them; `slope` is the column that says how steep it is
//
// and may have `name` (of its file; else the scenario's name), needed if a scenario has more than one; `subtitle` (else settings and rounds); and, with lines,
// `atLeast`: what the axis goes up to even if nothing is that high, so that a little noise is not a mountain.

const { bars } = require('./bars');
const { lines, points, series } = require('./courses');
const { dressed } = require('./style');

const TYPES = { bars, lines, points, series };

/** Bars of the first column: what a scenario has that says nothing about charts. */
function chartsOf(scenario) {
  if (scenario.charts) return scenario.charts;
  const [{ key, title, unit }] = scenario.columns;
  return [{ type: 'bars', key, title: `${scenario.title}: ${title}`, unit }];
}

/** @returns {boolean} whether the library that draws is installed */
function canDraw() {
  try {
    require.resolve('echarts');
    return true;
  } catch {
    return false;
  }
}

/**
 * @param {object} chart  one of chartsOf()
 * @param {object} variants  of results[scenario] in a results file
 * @returns {string | null} the SVG document; null if nothing was measured
 */
function draw({ type, variants: only, ...chart }, variants) {
  const chosen = Object.entries(variants)
    .filter(([variant]) => !only || only.includes(variant))
    .map(([variant, { settings, drivers }]) => ({ variant, settings, drivers }));
  if (chosen.length === 0) return null;
  const { option, width, height, isEmpty } = TYPES[type]({ ...chart, variants: chosen });
  if (isEmpty) return null;
  const echarts = require('echarts');
  const view = echarts.init(null, null, { renderer: 'svg', ssr: true, width, height });
  view.setOption(option);
  const svg = view.renderToSVGString();
  view.dispose();
  return dressed(svg, { title: chart.title, height });
}

module.exports = { canDraw, chartsOf, draw };
