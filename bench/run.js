'use strict';

// npm run bench: see README.md, or npm run bench -- --help

const path = require('node:path');
const { driverNames } = require('./suite/driver');
const { commitOf, machineOf } = require('./suite/machine');
const { buildNative } = require('./suite/native');
const { USAGE, UsageError, parseOptions } = require('./suite/options');
const { consoleReport, goalsOf } = require('./suite/report');
const { readResults, writeDocs, writeReport, writeResults } = require('./suite/results');
const { Run, driversOf, plan, resultsOf } = require('./suite/rounds');
const { loadScenario, scenarioNames } = require('./suite/scenario');

const allScenarios = () => scenarioNames().map(loadScenario);
const tell = (file) => console.log(shown(file));
const shown = (file) => path.relative(process.cwd(), file);

function timeOf(seconds) {
  if (seconds === undefined) return '';
  return seconds < 90
    ? `, ${Math.ceil(seconds / 5) * 5} s left`
    : `, ${Math.round(seconds / 60)} min left`;
}

/** One line that changes on a terminal, a line for each measurement elsewhere. */
function progress({ round, entry, done, total, left }) {
  const what = [entry.scenario.name, entry.variant, entry.name].join(' · ');
  const line = `[${done + 1}/${total}] round ${round}: ${what}${timeOf(left)}`;
  if (process.stderr.isTTY) process.stderr.write(`\r\x1b[K${line}`);
  else process.stderr.write(`${line}\n`);
}

/** Ctrl-C once: the run ends and what it has is written. Twice: at once. */
function stopOnSignal(run) {
  const stop = () => {
    if (run.stopped) process.exit(130);
    run.stop();
    process.stderr.write('\nstopping; what has been measured is written\n');
  };
  for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, stop);
  return () => {
    for (const signal of ['SIGINT', 'SIGTERM']) process.off(signal, stop);
  };
}

async function measure(args) {
  const scenarios = allScenarios();
  const options = parseOptions(args, { scenarios, drivers: driverNames() });
  if (options.help) {
    console.log(`${USAGE}\n\nscenarios and their drivers (in brackets: with --full, or by name):`);
    for (const { name, title, drivers, more } of scenarios)
      console.log(`  ${name.padEnd(8)} ${title}: ${drivers.join(' ')} (${more.join(' ')})`);
    return;
  }
  buildNative();
  const started = new Date().toISOString();
  const entries = plan(options.chosen, options.settings);
  const run = new Run(entries, options.rounds, progress);
  const ignore = stopOnSignal(run);
  await run.go();
  ignore();
  if (process.stderr.isTTY) process.stderr.write('\r\x1b[K');
  const found = {
    started,
    finished: new Date().toISOString(),
    commit: commitOf(),
    machine: machineOf(),
    rounds: options.rounds,
    stopped: run.stopped || undefined,
    history: run.history,
    drivers: driversOf(entries),
    results: resultsOf(entries),
  };
  console.log(consoleReport(found, scenarios));
  const file = writeResults(found, options.out);
  const [page, ...charts] = writeReport(file, found, scenarios);
  const minutes = (Date.parse(found.finished) - Date.parse(started)) / 60_000;
  console.log(
    `\nWritten after ${minutes.toFixed(1)} minutes: ${shown(file)}, ${shown(page)}, ${charts.length} charts`,
  );
  if (charts.length === 0) console.log('(no charts: cd bench && npm ci)');
  if (run.stopped) process.exitCode = 130;
}

function check(files) {
  const { results } = readResults(files);
  const { table, missed, unknown } = goalsOf(allScenarios(), results);
  console.log(`${table}\n\n${missed} missed, ${unknown} not measured`);
  if (missed > 0) process.exitCode = 1;
}

function report(args) {
  const files = args.filter((arg) => arg !== '--docs');
  const found = readResults(files);
  const scenarios = allScenarios();
  if (args.includes('--docs')) return writeDocs(found, scenarios).forEach(tell);
  const file =
    files.length === 1 ? files[0] : writeResults(found, path.dirname(files[0]), '-merged');
  for (const written of writeReport(file, found, scenarios)) tell(written);
}

const COMMANDS = {
  check,
  report,
  distribution: (args) => require('./distribution/run').main(args),
  profile: (args) => require('./profile/run').main(args),
};

async function main([first, ...rest]) {
  const command = COMMANDS[first];
  if (command) await command(rest);
  else await measure(first === undefined ? [] : [first, ...rest]);
}

main(process.argv.slice(2)).catch((err) => {
  console.error(err instanceof UsageError ? err.message : err);
  process.exitCode = err instanceof UsageError ? 2 : 1;
});
