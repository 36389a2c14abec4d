'use strict';

// Builds the sample as its user would, with what the tests add (suite): one more route, and where the application's root is.

const { execFile } = require('node:child_process');
const fs = require('node:fs');
const path = require('node:path');
const { promisify } = require('node:util');

const ROOT = path.join(__dirname, '..', '..', '..');
const APP = path.join(__dirname, 'build');
const NEXT = path.join(__dirname, 'node_modules', 'next', 'dist', 'bin', 'next');
const INSTALLED = ['package.json', 'lib', 'build/Release/fanline.node'];

process.env.NEXT_TELEMETRY_DISABLED = '1';

/** Puts this library where npm would, as a copy: what a link leads to, Next takes for the application's own code. */
function install() {
  const home = path.join(__dirname, 'node_modules', 'fanline');
  fs.rmSync(home, { recursive: true, force: true });
  for (const part of INSTALLED) {
    fs.cpSync(path.join(ROOT, part), path.join(home, part), { recursive: true });
  }
}

let built = null;

/** Once for all files of tests. @returns {Promise<string>} the app's folder */
function build() {
  built ??= (async () => {
    install();
    fs.rmSync(APP, { recursive: true, force: true });
    fs.cpSync(path.join(__dirname, 'sample'), APP, { recursive: true });
    fs.renameSync(path.join(APP, 'next.config.mjs'), path.join(APP, 'sample.config.mjs'));
    fs.cpSync(path.join(__dirname, 'suite'), APP, { recursive: true });
    await promisify(execFile)(process.execPath, [NEXT, 'build'], { cwd: APP });
    return APP;
  })();
  return built;
}

module.exports = { NEXT, build };
