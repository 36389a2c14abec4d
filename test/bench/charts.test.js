'use strict';

const assert = require('node:assert/strict');
const { canDraw, chartsOf, draw } = require('../../bench/suite/charts');
const { apart, linearScale } = require('../../bench/suite/charts/lines');
const { measure, shortNumber } = require('../../bench/suite/charts/style');

const values = (median) => ({ median, min: median * 0.9, max: median * 1.2 });
const driver = (us, rss) => ({
  values: { us: values(us), slope: values(10) },
  rounds: rss ? rss.map((list) => ({ series: { rss: list } })) : [],
});
const VARIANTS = {
  small: { settings: { clients: 100 }, drivers: { fanline: driver(5), 'res-write': driver(12) } },
  large: { settings: { clients: 9000 }, drivers: { fanline: driver(7), 'res-write': driver(15) } },
};
const textsOf = (svg) => [...svg.matchAll(/<text[^>]*>([^<]*)</g)].map(([, text]) => text);
describe('bench: numbers in charts', () => {
  it('have three digits, and letters for thousands', () => {
    const pairs = {
      7.5234: '7.52',
      12.345: '12.3',
      156789: '157 k',
      8123456: '8.12 M',
      2e9: '2 G',
      9000: '9,000',
      0: '0',
      0.1: '0.1',
    };
    for (const [number, text] of Object.entries(pairs))
      assert.equal(shortNumber(Number(number)), text);
  });

  it('have their unit', () => {
    assert.equal(measure(7.5, 'µs'), '7.5 µs');
    assert.equal(measure(8.1e6, '1/s'), '8.1 M/s');
  });

  it('an axis begins and ends at a tick, and has about five', () => {
    const ends = (low, high) => {
      const { min, max, step } = linearScale(low, high);
      return [min, max, step].map((value) => Number(value.toPrecision(6)));
    };
    assert.deepEqual(ends(0, 42.1), [0, 50, 10]);
    assert.deepEqual(ends(0, 50), [0, 50, 10]);
    assert.deepEqual(ends(0, 0.0021), [0, 0.0025, 0.0005]);
    assert.deepEqual(ends(-2.8, 1.1), [-3, 2, 1]);
    for (const [low, high] of [
      [0, 1],
      [0, 9.99],
      [-5, 0],
      [0, 0],
      [-0.3, 1234],
      [0, 8e6],
    ]) {
      const [min, max, step] = ends(low, high);
      assert.ok(min <= low && max >= high && min > low - step, `${low}, ${high}: ${min}, ${max}`);
      const count = (max - min) / step;
      assert.ok(count <= 8 && (count >= 3 || high === low), `${low}, ${high}: ${count}`);
    }
  });

  it('names at the ends of lines stand apart, in the order of their lines, within the edges', () => {
    const sizes = [14, 14, 14, 28, 14];
    for (const [wanted, order] of [
      [
        [50, 20, 52, 198, 199],
        [1, 0, 2, 3, 4],
      ],
      [
        [12, 10, 11, 13, 14],
        [1, 2, 0, 3, 4],
      ],
      [
        [199, 198, 197, 200, 196],
        [4, 2, 1, 0, 3],
      ],
    ]) {
      const at = apart(wanted, sizes, 10, 200);
      for (let i = 1; i < order.length; i++) {
        const [above, below] = [order[i - 1], order[i]];
        assert.ok(at[below] - at[above] >= (sizes[above] + sizes[below]) / 2 - 1e-9, at.join());
      }
      at.forEach((y, i) => {
        assert.ok(y - sizes[i] / 2 >= 10 && y + sizes[i] / 2 <= 200, at.join());
      });
    }
    assert.deepEqual(
      apart([20, 60], [14, 14], 10, 200),
      [20, 60],
      'where there is room, none moves',
    );
  });
});

describe('bench: charts', () => {
  before(function () {
    if (!canDraw()) this.skip(); // needs the packages of bench/
  });

  it('bars have a row for each driver with its median, a panel for each variant', () => {
    const svg = draw({ type: 'bars', key: 'us', title: 'S1: CPU', unit: 'µs' }, VARIANTS);
    const texts = textsOf(svg);
    for (const text of ['S1: CPU', 'small', 'large', '5 µs', '12 µs', '7 µs', '15 µs'])
      assert.ok(texts.includes(text), `${text}: ${texts}`);
    assert.equal(texts.filter((text) => text === 'res-write').length, 2);
  });

  it('bars of some variants leave the others out, and the title of a single one', () => {
    const svg = draw(
      { type: 'bars', key: 'us', title: 'x', unit: 'µs', variants: ['large'] },
      VARIANTS,
    );
    assert.deepEqual(
      textsOf(svg).filter((text) => /small|large|µs/.test(text)),
      ['7 µs', '15 µs'],
    );
  });

  it('lines have a tick at each measured number of clients and a name at their end', () => {
    const svg = draw(
      { type: 'lines', key: 'us', x: 'clients', title: 'S11', unit: 'µs', log: 'xy' },
      VARIANTS,
    );
    const texts = textsOf(svg);
    for (const text of ['100', '9,000', 'clients', 'µs', 'fanline', 'res-write', '10'])
      assert.ok(texts.includes(text), `${text}: ${texts}`);
  });

  it('of several rounds the one whose last value is the median is drawn', () => {
    const course = (last) => [
      [0, 1],
      [9, last],
    ];
    const rounds = [course(900), course(30), course(20)];
    const svg = draw(
      { type: 'series', series: 'rss', title: 'S6', unit: 'MiB', xTitle: 's' },
      { one: { settings: {}, drivers: { fanline: driver(1, rounds) } } },
    );
    assert.ok(textsOf(svg).includes('30'), textsOf(svg).join());
    assert.ok(!textsOf(svg).includes('900') && !textsOf(svg).includes('1,000'));
  });

  it('what is below zero is within the picture, and a little noise is no mountain where the axis goes to more', () => {
    const course = [
      [0, 0],
      [5, -2.5],
      [9, 1],
    ];
    const one = { one: { settings: {}, drivers: { fanline: driver(1, [course]) } } };
    const chart = { type: 'series', series: 'rss', title: 'S12', unit: 'MiB', xTitle: 's' };
    assert.ok(textsOf(draw(chart, one)).includes('-3'), textsOf(draw(chart, one)).join());
    const texts = textsOf(draw({ ...chart, atLeast: 20 }, one));
    assert.ok(texts.includes('20') && !texts.includes('1'), texts.join());
  });

  it('points have their slope at the end of the line through them', () => {
    const points = [
      [2000, 70],
      [9000, 140],
    ];
    const svg = draw(
      { type: 'points', series: 'rss', slope: 'slope', slopeUnit: 'KB a client', title: 'S5' },
      { one: { settings: {}, drivers: { fanline: driver(1, [points]) } } },
    );
    assert.ok(
      textsOf(svg).some((text) => text.includes('10 KB a client')),
      textsOf(svg).join(),
    );
  });

  it('a chart of nothing is none', () => {
    const nothing = {
      one: { settings: { clients: 1 }, drivers: { fanline: { values: {}, rounds: [] } } },
    };
    for (const chart of [
      { type: 'bars', key: 'us' },
      { type: 'lines', key: 'us', x: 'clients' },
      { type: 'series', series: 'rss' },
      { type: 'points', series: 'rss', slope: 'slope' },
    ])
      assert.equal(draw({ title: 'x', ...chart }, nothing), null);
    assert.equal(draw({ type: 'bars', key: 'us', title: 'x', variants: ['none'] }, VARIANTS), null);
  });

  it('a scenario that says nothing about charts has bars of its first column', () => {
    const [chart] = chartsOf({ title: 'S1', columns: [{ key: 'us', title: 'CPU', unit: 'µs' }] });
    assert.deepEqual(chart, { type: 'bars', key: 'us', title: 'S1: CPU', unit: 'µs' });
  });

  it('a picture has both sets of colours and a background of its own, and a title for those who cannot see it', () => {
    const svg = draw({ type: 'bars', key: 'us', title: 'a < b & c', unit: 'µs' }, VARIANTS);
    assert.match(svg, /prefers-color-scheme:dark/);
    assert.match(svg, /fill="var\(--paper\)"/);
    assert.match(svg, /<title>a &lt; b &amp; c<\/title>/);
    const used = new Set([...svg.matchAll(/var\((--\w+)\)/g)].map(([, name]) => name));
    for (const name of used)
      assert.equal(svg.split(`${name}:`).length, 3, `${name} in light and dark`);
  });
});
