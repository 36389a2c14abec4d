'use strict';

const { FONT, WIDTH, base, colour, isOurs, measure } = require('./style');

const ROW = 26;
const PANEL_HEAD = 28;
const GAP = 14;

/** Minimum to maximum as a line with two ends, and behind it what the median is. */
function whiskers(rows, unit) {
  const line = (x1, y1, x2, y2) => ({
    type: 'line',
    shape: { x1, y1, x2, y2 },
    style: { stroke: colour('whisker'), lineWidth: 1.25, opacity: 0.75 },
  });
  return (_params, api) => {
    const row = api.value(0);
    const { min, median, max } = rows[row].value;
    const [left, y] = api.coord([min, row]);
    const [right] = api.coord([max, row]);
    const ends = min === max ? [] : [left, right].map((x) => line(x, y - 4, x, y + 4));
    const text = {
      type: 'text',
      x: right + 8,
      y,
      style: {
        text: measure(median, unit),
        fontFamily: FONT,
        fontSize: 12,
        fill: colour('text'),
        verticalAlign: 'middle',
      },
    };
    return { type: 'group', children: [line(left, y, right, y), ...ends, text] };
  };
}

/** One panel: a row for each driver that has a value. */
function panel(index, { rows, unit, top, max }) {
  const height = rows.length * ROW;
  const names = rows.map(({ driver }) => driver);
  const axes = {
    grid: { left: 150, right: 110, top, height },
    xAxis: {
      gridIndex: index,
      type: 'value',
      min: 0,
      max,
      axisLabel: { show: false },
      splitLine: { show: false },
    },
    yAxis: {
      gridIndex: index,
      type: 'category',
      data: names,
      inverse: true,
      axisLine: { lineStyle: { color: colour('edge') } },
      axisTick: { show: false },
      axisLabel: { color: colour('text'), fontSize: 12, margin: 12 },
    },
  };
  const place = { xAxisIndex: index, yAxisIndex: index, silent: true };
  return {
    ...axes,
    series: [
      {
        ...place,
        type: 'bar',
        barWidth: 14,
        itemStyle: { borderRadius: [0, 3, 3, 0] },
        data: rows.map(({ driver, value }) => ({
          value: value.median,
          itemStyle: { color: colour(isOurs(driver) ? 's0' : 'bar') },
        })),
      },
      {
        ...place,
        type: 'custom',
        renderItem: whiskers(rows, unit),
        data: rows.map((_row, index) => [index, index]),
      },
    ],
  };
}

/** Horizontal bars of the medians with whiskers from minimum to maximum; a panel for each variant. */
function bars({ key, title, unit, subtitle, variants }) {
  let top = subtitle ? 68 : 50;
  const titles = [];
  const panels = [];
  for (const { variant, drivers } of variants) {
    const rows = Object.entries(drivers)
      .filter(([, { values }]) => values[key] !== undefined)
      .map(([driver, { values }]) => ({ driver, value: values[key] }));
    if (rows.length === 0) continue;
    if (variants.length > 1) {
      titles.push({
        text: variant,
        left: 20,
        top: top + 2,
        textStyle: { fontSize: 12.5, fontWeight: 600, color: colour('quiet') },
      });
      top += PANEL_HEAD;
    }
    const max = Math.max(...rows.map(({ value }) => value.max));
    panels.push(panel(panels.length, { rows, unit, top, max }));
    top += rows.length * ROW + GAP;
  }
  const common = base({ title, subtitle });
  return {
    width: WIDTH,
    height: top + 8,
    isEmpty: panels.length === 0,
    option: {
      ...common,
      title: [common.title, ...titles],
      grid: panels.map(({ grid }) => grid),
      xAxis: panels.map(({ xAxis }) => xAxis),
      yAxis: panels.map(({ yAxis }) => yAxis),
      series: panels.flatMap(({ series }) => series),
    },
  };
}

module.exports = { bars };
