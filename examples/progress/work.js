'use strict';

// Stands where your work is: an import, a report, a film. What matters is its shape: an async generator that says how far it
// has come after each step, and ends at once when its signal aborts.

const { setTimeout: sleep } = require('node:timers/promises');

const STEP = 100; // ms

/** What has been done so far, for GET /stats. */
const counts = { running: 0, pages: 0 };

/**
 * @param {{pages: number, failsAt?: number}} order
 * @param {AbortSignal} signal aborted: nobody wants the result any more
 */
async function* convert({ pages, failsAt }, signal) {
  counts.running++;
  try {
    for (let page = 1; page <= pages; page++) {
      await sleep(STEP, undefined, { signal });
      if (page === failsAt) throw new Error(`Page ${page} cannot be read`);
      counts.pages++;
      yield { page, pages };
    }
  } finally {
    counts.running--; // also when it was left in the middle: here it closes files, and gives connections back
  }
}

module.exports = { convert, counts };
