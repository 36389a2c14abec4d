'use strict';

const { WIDTH, base, colour, coloursOf, isOurs, shortNumber } = require('./style');
const { median } = require('../statistics');

const HEIGHT = 400;
const GRID = { left: 76, right: 150, top: 84, bottom: 62 };

const identity = (value) => value;

/** Whole decades around all values, for an axis of logarithms. */
function decades(values) {
  const from = Math.floor(Math.log10(Math.min(...values)));
  const to = Math.ceil(Math.log10(Math.max(...values)));
  return Array.from({ length: Math.max(1, to - from) + 1 }, (_, i) => from + i);
}

/** An axis whose values are drawn as their logarithms where asked for, with ticks that the caller knows. */
function axisOf({ log, values, ticks, name, isX }) {
  const label = { color: colour('quiet'), fontSize: 12 };
  const common = {
    type: 'value',
    name,
    nameLocation: 'middle',
    nameGap: isX ? 34 : 56,
    nameTextStyle: { color: colour('quiet'), fontSize: 12 },
    axisLine: { show: isX, onZero: false, lineStyle: { color: colour('edge') } },
    axisTick: { show: false },
    splitLine: { show: !isX, lineStyle: { color: colour('grid') } },
  };
  if (!log) {
    return { ...common, min: isX ? 'dataMin' : 0, axisLabel: { ...label, formatter: shortNumber } };
  }
  const marks = ticks ? ticks.map(Math.log10) : decades(values);
  return {
    ...common,
    min: marks[0],
    max: marks.at(-1),
    interval: ticks ? undefined : 1,
    axisLabel: {
      ...label,
      ...(ticks && { customValues: marks }),
      formatter: (value) => shortNumber(Number((10 ** value).toPrecision(6))),
    },
  };
}

/** From minimum to maximum at each point. */
function spread(points, at, paint) {
  return (_params, api) => {
    const { x, min, max } = points[api.value(0)];
    const [left, top] = api.coord([at.x(x), at.y(max)]);
    const [, bottom] = api.coord([at.x(x), at.y(min)]);
    const line = (x1, y1, x2, y2) => ({
      type: 'line',
      shape: { x1, y1, x2, y2 },
      style: { stroke: paint, lineWidth: 1.25, opacity: 0.7 },
    });
    return {
      type: 'group',
      children: [
        line(left, top, left, bottom),
        line(left - 3, top, left + 3, top),
        line(left - 3, bottom, left + 3, bottom),
      ],
    };
  };
}

/** Lines with the driver's name at their end; `lists` = { driver: { points: [{ x, y, min, max }], note, isDotted } }. */
function drawing({ title, subtitle, lists, log, ticks, xName, yName }) {
  const drivers = Object.keys(lists);
  const paints = coloursOf(drivers);
  const points = Object.values(lists).flatMap((list) => list.points);
  const at = {
    x: log?.includes('x') ? Math.log10 : identity,
    y: log?.includes('y') ? Math.log10 : identity,
  };
  const series = drivers.flatMap((driver) => {
    const { points: own, note, line } = lists[driver];
    const paint = paints[driver];
    const shown = line ?? own;
    const lineSeries = {
      type: 'line',
      silent: true,
      data: shown.map(({ x, y }) => [at.x(x), at.y(y)]),
      symbol: own.length > 40 || line ? 'none' : 'circle',
      symbolSize: 6,
      lineStyle: { color: paint, width: isOurs(driver) ? 3 : 1.75 },
      itemStyle: { color: paint },
      z: isOurs(driver) ? 3 : 2,
      endLabel: {
        show: true,
        formatter: note ? `${driver}\n${note}` : driver,
        color: paint,
        fontSize: 12,
        fontWeight: isOurs(driver) ? 600 : 400,
        distance: 8,
      },
      labelLayout: { moveOverlap: 'shiftY' },
    };
    const dots = line && {
      type: 'scatter',
      silent: true,
      symbolSize: 5,
      itemStyle: { color: paint, opacity: 0.8 },
      data: own.map(({ x, y }) => [at.x(x), at.y(y)]),
    };
    const whiskers = own.some(({ min }) => min !== undefined) && {
      type: 'custom',
      silent: true,
      renderItem: spread(own, at, paint),
      data: own.map(({ x, y }, index) => [index, at.y(y), at.x(x)]),
      encode: { x: 2, y: 1 },
    };
    return [lineSeries, dots, whiskers].filter(Boolean);
  });
  return {
    width: WIDTH,
    height: HEIGHT,
    isEmpty: points.length === 0,
    option: {
      ...base({ title, subtitle }),
      grid: GRID,
      xAxis: axisOf({
        log: log?.includes('x'),
        values: points.map(({ x }) => x),
        ticks,
        name: xName,
        isX: true,
      }),
      yAxis: axisOf({ log: log?.includes('y'), values: points.map(({ y }) => y), name: yName }),
      series,
    },
  };
}

/** One line for each driver through all variants: x is a setting, y a column. */
function lines({ key, x, title, subtitle, unit, xTitle, log, variants }) {
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
  return drawing({
    title,
    subtitle,
    lists,
    log,
    ticks: sorted,
    xName: xTitle ?? x,
    yName: unit,
  });
}

/** Of the rounds the one whose last value is the median. */
function typical(rounds, name) {
  const lists = rounds.map(({ series }) => series?.[name]).filter((list) => list?.length > 0);
  if (lists.length === 0) return undefined;
  const last = median(lists.map((list) => list.at(-1)[1]));
  return lists.find((list) => list.at(-1)[1] === last).map(([x, y]) => ({ x, y }));
}

/** What measure() gave as `series`, of one variant. */
function series({ series: name, title, subtitle, unit, xTitle, variant, variants, log }) {
  const { drivers } = variants.find((one) => one.variant === variant) ?? variants[0];
  const lists = {};
  for (const [driver, { rounds }] of Object.entries(drivers)) {
    const points = typical(rounds, name);
    if (points) lists[driver] = { points };
  }
  return drawing({ title, subtitle, lists, log, xName: xTitle, yName: unit });
}

function fit(points) {
  const n = points.length;
  const sum = (of) => points.reduce((total, point) => total + of(point), 0);
  const [mx, my] = [sum(({ x }) => x) / n, sum(({ y }) => y) / n];
  const slope = sum(({ x, y }) => (x - mx) * (y - my)) / sum(({ x }) => (x - mx) * (x - mx));
  const at = (x) => ({ x, y: my + slope * (x - mx) });
  return [at(points[0].x), at(points.at(-1).x)];
}

/** Points of a series with the straight line through them; the slope is a column, told at its end. */
function points({ slope, slopeUnit, ...rest }) {
  const { series: name, title, subtitle, unit, xTitle, variant, variants } = rest;
  const { drivers } = variants.find((one) => one.variant === variant) ?? variants[0];
  const lists = {};
  for (const [driver, { rounds, values }] of Object.entries(drivers)) {
    const own = typical(rounds, name);
    if (!own || own.length < 2) continue;
    const note = values[slope] && `${shortNumber(values[slope].median)} ${slopeUnit}`;
    lists[driver] = { points: own, line: fit(own), note };
  }
  return drawing({ title, subtitle, lists, xName: xTitle, yName: unit });
}

module.exports = { lines, points, series };
