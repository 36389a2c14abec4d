'use strict';

// When what is killed, and for how long it stays away.

const DOWN_MIN = 50; // ms
const DOWN_MAX = 3_000;

/** One after the other, each within a stretch of its own. */
function kills(random, ms, what, count) {
  const stretch = ms / count;
  return Array.from({ length: count }, (_, i) => ({
    what,
    at: Math.round((i + random.next() * 0.6) * stretch),
    downMs: Math.round(Math.min(stretch * 0.3, DOWN_MIN + random.next() ** 2 * DOWN_MAX)),
  }));
}

/**
 * @param {object} random
 * @param {number} ms how long all of it takes
 * @param {string[]} names of the processes
 * @param {{redis: number, each: number}} counts of Redis, and of each process
 * @returns {{at: number, what: string, downMs: number}[]} by time
 */
function plan(random, ms, names, { redis, each }) {
  return [
    ...kills(random, ms, 'redis', redis),
    ...names.flatMap((name) => kills(random, ms, name, each)),
  ].sort((a, b) => a.at - b.at);
}

module.exports = { plan };
