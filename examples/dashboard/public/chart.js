// One card with a chart: what is drawn is also said, in words beside the title. While a point is looked at, the words are of
// that point, in all charts.

import uPlot from 'uplot';

const POWERS = Array.from({ length: 60 }, (_, power) => 2 ** power); // steps of an axis that counts bytes
const HEIGHT = 184;
const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

function element(name, props, ...children) {
  const made = Object.assign(document.createElement(name), props);
  made.append(...children);
  return made;
}

export class Chart {
  #series;
  #format;
  #most;
  #isBinary;
  #plot = null;
  #data = null; // as uPlot takes it: times, then a column for each series
  #card;
  #place = element('div', { className: 'plot', role: 'img' });
  #values;

  /**
   * @param {object} options
   * @param {string} options.title
   * @param {[string, string][]} options.series column and what it is
   * @param {(value: number) => string} options.format
   * @param {number} [options.most] of the axis, where it does not follow the values
   * @param {boolean} [options.isBinary] its round numbers are powers of two
   */
  constructor(parent, { title, series, format, most, isBinary = false }) {
    this.#series = series;
    this.#format = format;
    this.#most = most;
    this.#isBinary = isBinary;
    this.#values = series.map(() => element('b', { textContent: '–' }));
    const words = series.map(([, what], i) => element('span', {}, `${what} `, this.#values[i]));
    const head = element('header', {}, element('h2', { textContent: title }));
    head.append(element('p', { className: 'values' }, ...words));
    this.#card = element('section', { className: 'card chart' }, head, this.#place);
    this.#card.setAttribute('aria-label', title);
    parent.append(this.#card);
    new ResizeObserver(() => this.#resize()).observe(this.#place);
    matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => this.#draw());
  }

  /** @param columns all that there is, by name; `at` in ms */
  show(columns) {
    this.#card.hidden = this.#series.every(([name]) =>
      columns[name].every((value) => value === null),
    );
    this.#data = [
      columns.at.map((at) => at / 1_000),
      ...this.#series.map(([name]) => columns[name]),
    ];
    if (this.#plot) this.#plot.setData(this.#data);
    else this.#draw();
    this.#say(this.#plot?.cursor.idx);
  }

  #say(index) {
    const at = index ?? this.#data[0].length - 1;
    this.#values.forEach((value, i) => {
      const now = this.#data[i + 1][at];
      value.textContent = now === null || now === undefined ? '–' : this.#format(now);
    });
    this.#place.setAttribute(
      'aria-label',
      this.#values.map((value) => value.textContent).join(', '),
    );
  }

  #resize() {
    const { clientWidth: width } = this.#place;
    if (this.#plot && width > 0) this.#plot.setSize({ width, height: HEIGHT });
    else this.#draw();
  }

  #draw() {
    const { clientWidth: width } = this.#place;
    if (width === 0 || !this.#data) return;
    this.#plot?.destroy();
    const font = '12px system-ui, sans-serif';
    const axis = { stroke: colour('--soft'), font, ticks: { show: false } };
    const line = { stroke: colour('--line'), width: 1 };
    const least = (_plot, _low, high) => [0, this.#most ?? Math.max(1, high * 1.15)];
    this.#plot = new uPlot(
      {
        width,
        height: HEIGHT,
        legend: { show: false },
        cursor: { sync: { key: 'all' }, y: false, drag: { x: false, y: false } },
        scales: { y: { range: least } },
        axes: [
          {
            ...axis,
            grid: { show: false },
            space: 70,
            size: 28,
            values: (_plot, at) => at.map(clock),
          },
          {
            ...axis,
            grid: line,
            size: 64,
            space: 34,
            ...(this.#isBinary && { incrs: POWERS }),
            values: (_plot, values) => values.map((value) => this.#format(value)),
          },
        ],
        series: [{}, ...this.#series.map((_, i) => this.#styleOf(i))],
        hooks: { setCursor: [(plot) => this.#say(plot.cursor.idx)] },
      },
      this.#data,
      this.#place,
    );
  }

  #styleOf(i) {
    const stroke = colour(i === 0 ? '--one' : '--two');
    const fill = `color-mix(in srgb, ${stroke} 12%, transparent)`;
    return {
      stroke,
      width: 1.6,
      points: { show: false },
      ...(this.#series.length === 1 && { fill }),
    };
  }
}

function clock(seconds) {
  return new Date(seconds * 1_000).toLocaleTimeString('en', { hour12: false });
}
