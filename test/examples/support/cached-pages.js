'use strict';

// Chromium that keeps pages which were left, for the way back, as it does for people: playwright-core switches that off.

const { launch } = require('../../browser/support/browser');

const OFF = '--disable-back-forward-cache';

function launchWithCache() {
  return launch({ ignoreDefaultArgs: [OFF] });
}

module.exports = { launchWithCache };
