'use strict';

// One SVG for light and dark: colours are variables of a style sheet inside it, and it brings its own background, so that a page of the
// other colour does no harm.

const FONT = "system-ui, -apple-system, 'Segoe UI', Roboto, 'Helvetica Neue', Arial, sans-serif";
const WIDTH = 760;

// Ours in blue (s0), the floor in grey. Each is readable on its background: >= 3:1, as text >= 4.5:1.
const LIGHT = {
  paper: '#ffffff',
  edge: '#d9dee5',
  text: '#1f2733',
  quiet: '#57606e',
  grid: '#e8ebf0',
  whisker: '#1f2733',
  bar: '#a9b4c4',
  s0: '#1d63d8',
  s1: '#c2410c',
  s2: '#0f766e',
  s3: '#7c3aed',
  s4: '#b45309',
  s5: '#be185d',
  s6: '#4d7c0f',
  s7: '#0369a1',
  s8: '#a16207',
  s9: '#9333ea',
  floor: '#64748b',
};
const DARK = {
  paper: '#12161d',
  edge: '#2c3440',
  text: '#e6eaf0',
  quiet: '#a3aebc',
  grid: '#242b36',
  whisker: '#e6eaf0',
  bar: '#566275',
  s0: '#6ea8fe',
  s1: '#fb923c',
  s2: '#2dd4bf',
  s3: '#b794f6',
  s4: '#fbbf24',
  s5: '#f472b6',
  s6: '#a3e635',
  s7: '#38bdf8',
  s8: '#fde047',
  s9: '#d8b4fe',
  floor: '#94a3b8',
};

const colour = (name) => `var(--${name})`;
const OTHERS = ['s1', 's2', 's3', 's4', 's5', 's6', 's7', 's8', 's9'];

const isOurs = (driver) => driver.startsWith('fanline');

// Ours have one colour and differ in their dashes.
const DASHES = {
  'fanline-relay': [8, 4],
  'fanline-detached': [2, 3],
  'fanline-tls': [10, 3, 2, 3],
};

/** Colour and dashes for each driver of a chart with many lines. */
function pensOf(drivers) {
  let next = 0;
  const penOf = (driver) => {
    if (isOurs(driver)) return { paint: colour('s0'), dash: DASHES[driver] ?? 'solid' };
    if (driver === 'bare') return { paint: colour('floor'), dash: [4, 3] };
    return { paint: colour(OTHERS[next++ % OTHERS.length]), dash: 'solid' };
  };
  return Object.fromEntries(drivers.map((driver) => [driver, penOf(driver)]));
}

const variables = (theme) =>
  Object.entries(theme)
    .map(([name, value]) => `--${name}:${value}`)
    .join(';');

/** @returns {string} a whole SVG document around what the library has drawn */
function dressed(svg, { title, height }) {
  const style =
    `<style>svg{${variables(LIGHT)}}` +
    `@media (prefers-color-scheme:dark){svg{${variables(DARK)}}}</style>`;
  const card =
    `<rect x="0.5" y="0.5" width="${WIDTH - 1}" height="${height - 1}" rx="8" ` +
    'fill="var(--paper)" stroke="var(--edge)"/>';
  const name = title.replaceAll('&', '&amp;').replaceAll('<', '&lt;');
  const open = /^<svg [^>]*>/.exec(svg)[0];
  return `${open}<title>${name}</title>${style}${card}${svg.slice(open.length)}\n`;
}

/** What all options have in common. */
function base({ title, subtitle }) {
  return {
    animation: false,
    backgroundColor: 'transparent',
    textStyle: { fontFamily: FONT, color: colour('text') },
    title: {
      text: title,
      subtext: subtitle,
      left: 20,
      top: 14,
      itemGap: 6,
      textStyle: { fontSize: 16, fontWeight: 600, color: colour('text') },
      subtextStyle: { fontSize: 12, color: colour('quiet') },
    },
  };
}

const SHORT = [
  [1e9, ' G'],
  [1e6, ' M'],
  [1e4, ' k', 1e3],
];

/** A number as a person reads it: 3 significant digits, thousands shortened. */
function shortNumber(value) {
  const size = Math.abs(value);
  for (const [from, letter, by = from] of SHORT)
    if (size >= from) return `${Number((value / by).toPrecision(3))}${letter}`;
  if (size >= 100) return Math.round(value).toLocaleString('en');
  return String(Number(value.toPrecision(size < 0.01 ? 1 : 3)));
}

/** With its unit: 7.52 µs, 8.1 M/s. */
function measure(value, unit) {
  if (!unit) return shortNumber(value);
  return unit === '1/s' ? `${shortNumber(value)}/s` : `${shortNumber(value)} ${unit}`;
}

module.exports = { FONT, WIDTH, base, colour, dressed, isOurs, measure, pensOf, shortNumber };
