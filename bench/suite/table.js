'use strict';

const digitsOf = (value, digits) =>
  value.toLocaleString('en', { minimumFractionDigits: digits, maximumFractionDigits: digits });

function cellOf(summary, digits) {
  if (summary === undefined) return '–';
  const [median, min, max] = [summary.median, summary.min, summary.max].map((value) =>
    digitsOf(value, digits),
  );
  return min === max ? median : `${median} (${min}–${max})`;
}

/** @returns {string} a Markdown table: median (minimum–maximum), a row for each driver */
function tableOf(columns, drivers) {
  const shown = columns.filter(({ key }) =>
    Object.values(drivers).some(({ values }) => values[key] !== undefined),
  );
  const head = shown.map(({ title, unit }) => (unit ? `${title}, ${unit}` : title));
  const rows = Object.entries(drivers).map(([name, { values, why, failures }]) => {
    if (why) return [name, why];
    const cells = shown.map(({ key, digits }) => cellOf(values[key], digits));
    if (failures)
      cells.push(
        `failed in ${failures.map(({ round }) => `round ${round}`).join(', ')}: ${failures[0].reason}`,
      );
    return [name, ...cells];
  });
  const lines = [['driver', ...head], ['---', ...head.map(() => '---:')], ...rows];
  return lines.map((cells) => `| ${cells.join(' | ')} |`).join('\n');
}

module.exports = { cellOf, digitsOf, tableOf };
