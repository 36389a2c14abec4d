'use strict';

// Debian's Chromium through playwright-core, which brings no browser of its own.

const { accessSync, constants } = require('node:fs');

const EXECUTABLE = process.env.CHROMIUM || '/usr/bin/chromium';
const ARGS = ['--headless', '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run',
  '--disable-background-networking', '--disable-component-update', '--disable-sync'];

// What the suite cannot run without, as words for the reader; empty when all is there.
function missing() {
  const list = [];
  try {
    require.resolve('playwright-core');
  } catch {
    list.push('playwright-core');
  }
  try {
    accessSync(EXECUTABLE, constants.X_OK);
  } catch {
    list.push(`Chromium (${EXECUTABLE})`);
  }
  return list.join(' and ');
}

function launch() {
  return require('playwright-core').chromium.launch({ executablePath: EXECUTABLE, args: ARGS });
}

module.exports = { launch, missing };
