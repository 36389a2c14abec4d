'use strict';

// What a results file says, as Markdown: figures that must be reached, a chart and a table for each scenario, drivers and machine.

const { canDraw, chartsOf, draw } = require('./charts');
const { evaluate } = require('./goals');
const { cellOf, markdown, tableOf, withDigits } = require('./table');

const OTHERS_PERCENT = 5; // of the machine: more is told as a warning

const percent = (value) => `${value.toFixed(1)} %`;

/** The rounds in which something else was at work as well. */
function disturbances(history) {
  return history.flatMap(({ others, steal }, index) => [
    ...(others > OTHERS_PERCENT
      ? [`round ${index + 1}: other processes had ${percent(others)} of the machine`]
      : []),
    ...(steal > OTHERS_PERCENT
      ? [`round ${index + 1}: ${percent(steal)} of the machine were given to other machines`]
      : []),
  ]);
}

function headOf({ started, commit, rounds, history, machine }) {
  const { cpu, cores, memory_gib, system, node } = machine;
  const loads = history
    .map(({ load_before, load_after }) => `${load_before.toFixed(1)} → ${load_after.toFixed(1)}`)
    .join(', ');
  const lines = [
    `${cpu}, ${cores} cores, ${memory_gib} GiB; ${system}; Node ${node}${commit ? `; commit ${commit}` : ''}.`,
    `Medians (minimum–maximum) of ${rounds} interleaved rounds. Server and load share the machine: read ratios, not times.`,
    `Load average before and after each round: ${loads || 'no round is whole'}.`,
    ...disturbances(history).map((text) => `**Warning**: ${text}.`),
  ];
  return `# Benchmark of ${started.slice(0, 16).replace('T', ' ')} UTC\n\n${lines.map((line) => `- ${line}`).join('\n')}`;
}

/** A goal's figure with its unit and how it swings from round to round. */
function figureOf({ unit, digits }, { value, min, max }) {
  if (value === undefined) return 'not measured';
  return `${cellOf({ median: value, min: min ?? value, max: max ?? value }, digits)} ${unit}`.trim();
}

const MARKS = { met: '✓', missed: '✗' };

function limitCell(limit, verdict) {
  if (limit === undefined) return '–';
  return `${limit.replace('<=', '≤').replace('>=', '≥')}${verdict ? ` ${MARKS[verdict]}` : ''}`;
}

/** @returns {{ table: string, missed: number, unknown: number } | null} of all goals of these scenarios; null without any */
function goalsOf(scenarios, results) {
  const found = scenarios.flatMap((scenario) =>
    scenario.goals.map((goal) => ({
      scenario,
      goal,
      got: evaluate(goal, results[scenario.name]?.variants ?? {}),
    })),
  );
  if (found.length === 0) return null;
  const rows = found.map(({ scenario, goal, got }) => [
    `${scenario.title}: ${goal.what}`,
    figureOf(goal, got),
    limitCell(goal.must, got.must),
    limitCell(goal.aim, got.aim),
  ]);
  return {
    table: markdown(['figure of fanline', 'measured', 'must', 'aim'], rows),
    missed: found.filter(({ got }) => got.must === 'missed').length,
    unknown: found.filter(({ goal, got }) => goal.must && got.value === undefined).length,
  };
}

function settingsLine(settings) {
  return Object.entries(settings)
    .map(([key, value]) => `${key} ${typeof value === 'number' ? withDigits(value) : value}`)
    .join(', ');
}

function variantsOf(scenario, variants) {
  const several = Object.keys(variants).length > 1;
  return Object.entries(variants).map(([name, { settings, drivers }]) => {
    const head = several ? `### ${name}\n\n${settingsLine(settings)}` : settingsLine(settings);
    return `${head}\n\n${tableOf(scenario.columns, drivers)}`;
  });
}

/** What stands under a chart's title: a picture goes about without its page. */
function subtitleOf({ type, variants: only }, variants) {
  const names = Object.keys(variants).filter((name) => only?.includes(name) ?? true);
  const all = Object.values(variants).flatMap(({ drivers }) => Object.values(drivers));
  const rounds = Math.max(...all.map((driver) => driver.rounds.length));
  const isCourse = type === 'series' || type === 'points';
  const told = isCourse
    ? `a typical one of ${rounds} rounds`
    : `median of ${rounds} rounds, minimum to maximum`;
  const parts = [
    ...(names.length === 1 ? [settingsLine(variants[names[0]].settings)] : []),
    rounds > 1 ? told : 'one round',
  ];
  return parts.join('; ');
}

/**
 * @param {{ scenario: object, variants: object }} measured
 * @param {Record<string, string>} charts  collects `name of the file: SVG`
 */
function drawAll({ scenario, variants }, charts) {
  const drawn = [];
  for (const chart of chartsOf(scenario)) {
    const svg = draw({ subtitle: subtitleOf(chart, variants), ...chart }, variants);
    if (svg === null) continue;
    const name = `${chart.name ?? scenario.name}.svg`;
    charts[name] = svg;
    drawn.push({ name, title: chart.title });
  }
  return drawn;
}

function driversTable(drivers) {
  const rows = Object.entries(drivers).map(([name, { what, versions = {}, why }]) => {
    const list = Object.entries(versions).map(([key, version]) => `${key} ${version}`);
    return [name, what, why ? `did not run: ${why}` : list.join(', ') || '–'];
  });
  return markdown(['driver', 'what it is', 'versions'], rows).replaceAll('---:', '---');
}

/**
 * @param {object} file  a results file
 * @param {object[]} scenarios  loaded, in order; those that were not measured are left out
 * @param {string} folder  of the charts, as the report names it
 * @returns {{ text: string, charts: Record<string, string>, missed: number }}
 */
function reportOf(file, scenarios, folder) {
  const measured = scenarios
    .filter(({ name }) => name in file.results)
    .map((scenario) => ({ scenario, variants: file.results[scenario.name].variants }));
  const charts = {};
  const parts = [headOf(file)];
  if (file.stopped) parts.push('**The run was stopped before its end.**');
  const goals = goalsOf(
    measured.map(({ scenario }) => scenario),
    file.results,
  );
  if (goals) parts.push(`## What must be reached\n\n${goals.table}`);
  for (const one of measured) {
    parts.push(`## ${one.scenario.title}\n\n${one.scenario.what}`);
    const drawn = canDraw() ? drawAll(one, charts) : [];
    parts.push(...drawn.map(({ name, title }) => `![${title}](${folder}/${name})`));
    parts.push(...variantsOf(one.scenario, one.variants));
  }
  parts.push(`## Drivers\n\n${driversTable(file.drivers)}`);
  return { text: `${parts.join('\n\n')}\n`, charts, missed: goals?.missed ?? 0 };
}

/** What the console gets: the same without charts and drivers. */
function consoleReport(file, scenarios) {
  const parts = scenarios
    .filter(({ name }) => name in file.results)
    .map((scenario) => {
      const tables = variantsOf(scenario, file.results[scenario.name].variants);
      return [`## ${scenario.title}`, scenario.what, ...tables].join('\n\n');
    });
  const goals = goalsOf(
    scenarios.filter(({ name }) => name in file.results),
    file.results,
  );
  if (goals) parts.push(goals.table);
  return [...parts, ...disturbances(file.history).map((text) => `Warning: ${text}`)].join('\n\n');
}

module.exports = { consoleReport, disturbances, goalsOf, reportOf };
