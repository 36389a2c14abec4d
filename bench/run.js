'use strict';

// npm run bench [-- [--rounds N] [--full] [scenario …] [driver …]]: see README.md
// npm run bench -- distribution: several processes, see distribution/run.js

const fs = require('node:fs');
const path = require('node:path');
const { driverNames } = require('./suite/driver');
const { machineOf } = require('./suite/machine');
const { buildNative } = require('./suite/native');
const { plan, resultsOf, runRounds } = require('./suite/rounds');
const { loadScenario, scenarioNames } = require('./suite/scenario');
const { tableOf } = require('./suite/table');

async function main(args) {
  if (args[0] === 'distribution') {
    await require('./distribution/run').main(args.slice(1));
    return;
  }
  const take = (name, otherwise) => {
    const at = args.indexOf(name);
    return at < 0 ? otherwise : args.splice(at, 2)[1];
  };
  const rounds = Number(take('--rounds', 3));
  const settings = {};
  for (let pair = take('--set'); pair; pair = take('--set')) {
    const [key, value] = pair.split('=');
    settings[key] = Number(value);
  }
  const names = args.filter((name) => scenarioNames().includes(name));
  const drivers = args.filter((name) => driverNames().includes(name));
  const unknown = args.filter((name) => !names.includes(name) && !drivers.includes(name));
  if (unknown.length > 0 || !(rounds > 0)) {
    console.error(`unknown: ${unknown.join(' ')}\nscenarios: ${scenarioNames().join(' ')}`);
    console.error(`drivers: ${driverNames().join(' ')}`);
    process.exitCode = 2;
    return;
  }
  const scenarios = (names.length > 0 ? names : scenarioNames()).map((name) => {
    const scenario = loadScenario(name);
    const own = [...scenario.drivers, ...scenario.more];
    const chosen = drivers.length > 0 ? own.filter((d) => drivers.includes(d)) : scenario.drivers;
    return { scenario, drivers: chosen };
  });
  buildNative();
  const entries = plan(scenarios, settings);
  const state = { stopped: false, current: null };
  const { load_average } = await runRounds(
    entries,
    rounds,
    ({ round, entry, done, total, left }) =>
      process.stderr.write(
        `${done + 1}/${total} round ${round}: ${entry.scenario.name}, ${entry.variant}, ${entry.name}${left ? `, ${Math.ceil(left)} s left` : ''}\n`,
      ),
    state,
  );
  const results = resultsOf(entries);
  for (const { scenario } of scenarios) {
    console.log(`\n## ${scenario.title}\n\n${scenario.what}`);
    for (const [name, { settings, drivers }] of Object.entries(results[scenario.name].variants)) {
      console.log(
        `\n${name}: ${JSON.stringify(settings)}\n\n${tableOf(scenario.columns, drivers)}`,
      );
    }
  }
  const file = path.join(
    __dirname,
    'results',
    `${new Date().toISOString().replace(/[:.]/g, '-')}.json`,
  );
  fs.mkdirSync(path.dirname(file), { recursive: true });
  fs.writeFileSync(
    file,
    `${JSON.stringify({ machine: machineOf(), load_average, rounds, results }, null, 2)}\n`,
  );
  console.log(`\nWritten to ${path.relative(process.cwd(), file)}`);
}

main(process.argv.slice(2)).catch((err) => {
  console.error(err);
  process.exitCode = 1;
});
