'use strict';

// The behaviour suite of Node's servers and Express, run by mocha within Bun and within Deno.

const assert = require('node:assert/strict');
const { spawn } = require('node:child_process');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const { RUNTIMES } = require('./support/runtime');

const MOCHA = path.join(__dirname, '..', '..', 'node_modules', 'mocha', 'bin', '_mocha');
const SUITE = path.join(__dirname, 'support', 'behaviour.js');
const TITLES = [
  'http, http',
  'https, http',
  'http2, http',
  'http, Express 5',
  'compression, Express 5',
];
const LEAST = 80; // tests of each: were they not found, none would fail
const PATIENCE = 60_000; // ms

/** @returns {Promise<{how: string, report: object}>} `report` null: it has not come to its end */
async function run(runtime, title) {
  const dir = fs.mkdtempSync(path.join(os.tmpdir(), 'fanline-runtimes-'));
  const file = path.join(dir, 'report.json');
  const args = ['--no-config', '--timeout', '8000', '--retries', '1', SUITE];
  args.push('--fgrep', `behaviour ${title} `);
  args.push('--reporter', 'json', '--reporter-option', `output=${file}`);
  const child = spawn(runtime.command, [...runtime.test, MOCHA, ...args], {
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let said = '';
  child.stderr.setEncoding('utf8').on('data', (text) => {
    said += text;
  });
  const timer = setTimeout(() => child.kill('SIGKILL'), PATIENCE);
  const how = await new Promise((resolve) => {
    child.on('close', (code, signal) => resolve(`${code ?? signal}\n${said}`));
  });
  clearTimeout(timer);
  const report = fs.existsSync(file) ? JSON.parse(fs.readFileSync(file, 'utf8')) : null;
  fs.rmSync(dir, { recursive: true });
  return { how, report };
}

for (const runtime of RUNTIMES) {
  describe(`behaviour under ${runtime.name}`, function () {
    this.timeout(2 * PATIENCE);

    for (const title of TITLES) {
      it(`is Node's over ${title}, and the process ends by itself`, async () => {
        const { how, report } = await run(runtime, title);
        assert.notEqual(report, null, how);
        const failures = report.failures.map(({ fullTitle, err }) => `${fullTitle}: ${err.stack}`);
        assert.deepEqual(failures, []);
        assert(report.stats.passes >= LEAST, `${report.stats.passes} tests`);
        assert.equal(how.split('\n')[0], '0', how);
      });
    }
  });
}
