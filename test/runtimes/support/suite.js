'use strict';

// Runs a suite of Node's by mocha within another runtime.

const assert = require('node:assert/strict');
const { spawn } = require('node:child_process');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');

const MOCHA = path.join(__dirname, '..', '..', '..', 'node_modules', 'mocha', 'bin', '_mocha');
const PATIENCE = 60_000; // ms

/**
 * @param {object} runtime of RUNTIMES
 * @param {string} suite a file
 * @param {string[]} chosen options of mocha that say which of its tests
 * @returns {Promise<{how: string, report: object}>} `report` null: it has not come to its end
 */
async function run(runtime, suite, chosen) {
  const dir = fs.mkdtempSync(path.join(os.tmpdir(), 'fanline-runtimes-'));
  const file = path.join(dir, 'report.json');
  const args = ['--no-config', '--timeout', '8000', '--retries', '1', suite, ...chosen];
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

/** All of the chosen pass, `least` at least, and the process ends by itself. */
async function passes(runtime, suite, chosen, least) {
  const { how, report } = await run(runtime, suite, chosen);
  assert.notEqual(report, null, how);
  const failures = report.failures.map(({ fullTitle, err }) => `${fullTitle}: ${err.stack}`);
  assert.deepEqual(failures, []);
  assert(report.stats.passes >= least, `${report.stats.passes} tests`);
  assert.equal(how.split('\n')[0], '0', how);
}

module.exports = { PATIENCE, passes };
