'use strict';

// Debian's Chromium through playwright-core, which brings no browser of its own.

const { existsSync } = require('node:fs');

const KNOWN = ['chromium', 'chromium-browser', 'google-chrome'].map((name) => `/usr/bin/${name}`);
const EXECUTABLE = process.env.CHROMIUM || KNOWN.find((file) => existsSync(file)) || KNOWN[0];
const ARGS = [
  '--headless',
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

// What the suite cannot run without, as words for the reader; empty when all is there.
function missing() {
  const list = [];
  try {
    require.resolve('playwright-core');
  } catch {
    list.push('playwright-core');
  }
  if (!existsSync(EXECUTABLE)) list.push(`Chromium (${EXECUTABLE})`);
  return list.join(' and ');
}

/** @param {object} [options] of playwright-core */
function launch(options) {
  const { chromium } = require('playwright-core');
  return chromium.launch({ executablePath: EXECUTABLE, args: ARGS, ...options });
}

module.exports = { launch, missing };
