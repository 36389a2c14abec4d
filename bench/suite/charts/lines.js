'use strict';

const { WIDTH, base, colour, isOurs, pensOf, shortNumber } = require('./style');

const HEIGHT = 400;
const LINE = 14; // of a label's text
const EDGES = { left: 76, right: 160, bottom: 62 };

/** The distance of ticks, so that there are about five. */
function stepOf(span) {
  const unit = 10 ** Math.floor(Math.log10(span / 5));
  return [1, 2, 2.5, 5, 10].find((step) => step * unit >= span / 5.5) * unit;
}

/** From zero, or below where values are, to a tick that is not below the highest. */
function linearScale(low, high) {
  const step = stepOf(high > low ? high - low : 1);
  const ticks = (value) => Math.ceil(value / step - 1e-9) * step;
  return { place: (value) => value, min: 0 - ticks(-low), max: ticks(high), step };
}

/** Where an axis begins and ends, and what is written on it; logarithms are taken here and only here. */
function scaleOf(values, { isLog, ticks, fromZero, atLeast = 0 }) {
  const [low, high] = [Math.min(...values), Math.max(...values)];
  if (!isLog && fromZero) return linearScale(Math.min(0, low), Math.max(high, atLeast));
  if (!isLog) return { place: (value) => value, min: low, max: high };
  const place = Math.log10;
  if (ticks) return { place, min: place(ticks[0]), max: place(ticks.at(-1)), marks: ticks };
  const min = Math.floor(place(low));
  const max = Math.max(min + 1, Math.ceil(place(high)));
  return { place, min, max, step: 1, isLog };
}

function axisOf({ place, min, max, marks, step, isLog }, { name, isX }) {
  const unplaced = isLog || marks ? (value) => Number((10 ** value).toPrecision(6)) : Number;
  return {
    type: 'value',
    name,
    min,
    max,
    ...(step && { interval: step }),
    nameLocation: 'middle',
    nameGap: isX ? 34 : 54,
    nameTextStyle: { color: colour('quiet'), fontSize: 12 },
    axisLine: { show: isX, onZero: false, lineStyle: { color: colour('edge') } },
    axisTick: { show: false },
    splitLine: { show: !isX, lineStyle: { color: colour('grid') } },
    axisLabel: {
      color: colour('quiet'),
      fontSize: 12,
      showMaxLabel: !isX || isLog || marks !== undefined || Number.isInteger(max),
      formatter: (value) => shortNumber(unplaced(value)),
      ...(marks && { customValues: marks.map(place) }),
    },
  };
}

/** Heights of labels that would stand at `wanted`, moved apart and kept between top and bottom. */
function apart(wanted, sizes, top, bottom) {
  const order = wanted.map((_y, index) => index).sort((a, b) => wanted[a] - wanted[b]);
  const at = [];
  let edge = top;
  for (const index of order) {
    at[index] = Math.max(wanted[index], edge + sizes[index] / 2);
    edge = at[index] + sizes[index] / 2;
  }
  edge = bottom;
  for (const index of order.reverse()) {
    at[index] = Math.min(at[index], edge - sizes[index] / 2);
    edge = at[index] - sizes[index] / 2;
  }
  return at;
}

/** From minimum to maximum at each point. */
function spread(points, scales, paint) {
  return (_params, api) => {
    const { x, min, max } = points[api.value(0)];
    const [left, top] = api.coord([scales.x.place(x), scales.y.place(max)]);
    const [, bottom] = api.coord([scales.x.place(x), scales.y.place(min)]);
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

/** The line of a driver, its dots and whiskers where it has them. */
function seriesOf(driver, { points, note, line }, { pen, scales, labelY }) {
  const placed = ({ x, y }) => [scales.x.place(x), scales.y.place(y)];
  const common = { silent: true, z: isOurs(driver) ? 3 : 2, itemStyle: { color: pen.paint } };
  const drawn = {
    ...common,
    type: 'line',
    data: (line ?? points).map(placed),
    symbol: line || points.length > 12 ? 'none' : 'circle',
    symbolSize: 5,
    lineStyle: { color: pen.paint, type: pen.dash, width: isOurs(driver) ? 2.75 : 1.75 },
    endLabel: {
      show: true,
      formatter: note ? `${driver}\n${note}` : driver,
      color: pen.paint,
      fontSize: 12,
      lineHeight: LINE,
      fontWeight: isOurs(driver) ? 600 : 400,
      distance: 8,
    },
    labelLayout: { y: labelY, verticalAlign: 'middle' },
  };
  const dots = { ...common, type: 'scatter', symbolSize: 5, data: points.map(placed) };
  const whiskers = {
    ...common,
    type: 'custom',
    renderItem: spread(points, scales, pen.paint),
    data: points.map((point, index) => [index, ...placed(point)]),
    encode: { x: 1, y: 2 },
  };
  const hasSpread = points.some(({ min }) => min !== undefined);
  return [drawn, ...(line ? [dots] : []), ...(hasSpread ? [whiskers] : [])];
}

/**
 * Lines with the driver's name at their end.
 * @param {Record<string, { points: { x, y, min?, max? }[], note?: string, line?: { x, y }[] }>} lists  of each driver; `line` is drawn
 *   through its points instead of one from each to the next
 */
function drawing({ title, subtitle, lists, log = '', ticks, xName, yName, atLeast }) {
  const drivers = Object.keys(lists);
  const points = Object.values(lists).flatMap((list) => [...list.points, ...(list.line ?? [])]);
  if (points.length === 0) return { isEmpty: true };
  const ys = points.flatMap(({ y, min, max }) => [y, min ?? y, max ?? y]);
  const xs = points.map(({ x }) => x);
  const scales = {
    x: scaleOf(xs, { isLog: log.includes('x'), ticks }),
    y: scaleOf(ys, { isLog: log.includes('y'), fromZero: true, atLeast }),
  };
  const top = subtitle ? 80 : 64;
  const grid = { ...EDGES, top };
  const height = HEIGHT - top - EDGES.bottom;
  const { place, min, max } = scales.y;
  const wanted = drivers.map((driver) => {
    const { y } = (lists[driver].line ?? lists[driver].points).at(-1);
    return top + height * (1 - (place(y) - min) / (max - min));
  });
  const sizes = drivers.map((driver) => (lists[driver].note ? 2 * LINE + 2 : LINE));
  const heights = apart(wanted, sizes, top - LINE, HEIGHT - EDGES.bottom + LINE / 2);
  const pens = pensOf(drivers);
  return {
    width: WIDTH,
    height: HEIGHT,
    option: {
      ...base({ title, subtitle }),
      grid,
      xAxis: axisOf(scales.x, { name: xName, isX: true }),
      yAxis: axisOf(scales.y, { name: yName, isX: false }),
      series: drivers.flatMap((driver, index) =>
        seriesOf(driver, lists[driver], { pen: pens[driver], scales, labelY: heights[index] }),
      ),
    },
  };
}

module.exports = { apart, drawing, linearScale };
