'use strict';

function withDigits(value, digits) {
  return value.toLocaleString('en', {
    minimumFractionDigits: digits,
    maximumFractionDigits: digits,
  });
}

/** `7.52 (7.24–7.88)`: median, minimum and maximum. */
function cellOf(summary, digits = 0) {
  if (summary === undefined) return '–';
  const [median, min, max] = ['median', 'min', 'max'].map((key) =>
    withDigits(summary[key], digits),
  );
  return min === max ? median : `${median} (${min}–${max})`;
}

const escaped = (text) => text.replaceAll('|', '\\|').replaceAll('\n', ' ');

/** A Markdown table; the first column is text, the others are numbers. */
function markdown(head, rows) {
  const align = head.map((_title, index) => (index === 0 ? '---' : '---:'));
  const lines = [head, align, ...rows].map((cells) => `| ${cells.map(escaped).join(' | ')} |`);
  return lines.join('\n');
}

const titleOf = ({ title, unit }) => (unit ? `${title}, ${unit}` : title);

/** What a driver has instead of numbers, or beside them. */
function troubles(drivers) {
  return Object.entries(drivers).flatMap(([name, { why, failures = [] }]) => {
    if (why) return [`${name} did not run: ${why}`];
    if (failures.length === 0) return [];
    const rounds = failures.map(({ round }) => round).join(', ');
    return [`${name} failed in round ${rounds}: ${failures[0].reason}`];
  });
}

/** @returns {string} a row for each driver with the columns that any of them has, then what went wrong */
function tableOf(columns, drivers) {
  const entries = Object.entries(drivers);
  const shown = columns.filter(({ key }) => entries.some(([, { values }]) => values[key]));
  const rows = entries.map(([name, { values, why, failures }]) => {
    const mark = why || failures ? `${name} *` : name;
    return [mark, ...shown.map(({ key, digits }) => cellOf(values[key], digits))];
  });
  const notes = troubles(drivers).map((text) => `\\* ${escaped(text)}`);
  return [markdown(['driver', ...shown.map(titleOf)], rows), ...notes].join('\n\n');
}

module.exports = { cellOf, markdown, tableOf, troubles, withDigits };
