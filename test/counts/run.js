'use strict';

// npm run counts                 what a delivery, a broadcast, a client costs, counted, against table.json
// npm run counts -- --update     prints table.json with what was counted now; whoever takes it over says why in the commit
//                                (npm run --silent counts -- --update > /tmp/table.json)

const { spawnSync } = require('node:child_process');
const path = require('node:path');
const { compiler } = require('./support/addon');
const { ceiling, measureAll, missing } = require('./support/measure');
const table = require('./table.json');

const ROOT = path.join(__dirname, '..', '..');

async function update() {
  const lacking = missing();
  if (lacking.length > 0) throw new Error(`missing: ${lacking.join(', ')} (npm run test:setup)`);
  const found = await measureAll();
  const scenarios = Object.entries(found).map(([scenario, counts]) => {
    const why = table.scenarios[scenario]?.why ?? '';
    const rows = Object.entries(counts).map(
      ([count, value]) =>
        `      ${JSON.stringify(count)}: [${value}, ${ceiling(scenario, count, value)}]`,
    );
    const lines = [`      "why": ${JSON.stringify(why)}`, ...rows].join(',\n');
    return `    ${JSON.stringify(scenario)}: {\n${lines}\n    }`;
  });
  console.log(`{
  "compiler": ${JSON.stringify(compiler())},
  "columns": ["measured", "ceiling"],
  "scenarios": {
${scenarios.join(',\n')}
  }
}`);
}

if (process.argv.includes('--update')) {
  update().catch((err) => {
    console.error(`counts: ${err.message}`);
    process.exitCode = 1;
  });
} else {
  const args = [path.join(ROOT, 'scripts', 'test.js'), 'counts'];
  process.exitCode = spawnSync(process.execPath, args, { stdio: 'inherit' }).status;
}
