'use strict';

// Streams that end, and their readers that come back: when, and to what load on those that take them in.

/**
 * How many arrive in each tenth of the time from the first to the last, as parts of all.
 * @param {number[]} times
 */
function tenths(times) {
  const first = times.reduce((a, b) => Math.min(a, b));
  const last = times.reduce((a, b) => Math.max(a, b));
  const counts = new Array(10).fill(0);
  for (const time of times)
    counts[Math.min(9, Math.floor(((time - first) / (last - first)) * 10))]++;
  return { first, last, parts: counts.map((count) => count / times.length) };
}

/** ms after the beginning at which each of a sample comes back. `grace` 0: all streams end at once, as when a process dies. */
function arrivals({ grace, retry, sample = 20_000 }, random) {
  return Array.from({ length: sample }, (_, i) => {
    const end = grace === 0 ? 0 : 0.8 * grace * (i / sample);
    return end + retry.min + random() * (retry.max - retry.min);
  });
}

/**
 * @param {object} plan clients that come back, survivors (processes that take them), grace and retry in ms, missed (events that
 *   each has missed)
 * @param {object} cost
 * @returns {{peak_s: number, js: number, last_ms: number, backlog_ms: number}} the fullest second, connects a second of all; what
 *   of each survivor's JavaScript thread they take in it; when the last one is served, and how long they wait at most
 */
function storm(plan, cost, random) {
  const times = arrivals(plan, random).sort((a, b) => a - b);
  const perSample = plan.clients / times.length;
  const seconds = new Map();
  for (const time of times) {
    const second = Math.floor(time / 1000);
    seconds.set(second, (seconds.get(second) ?? 0) + perSample);
  }
  const us = (cost.connect_us + plan.missed * cost.replay_us) * (perSample / plan.survivors);
  let free = 0; // ms
  let backlog = 0;
  for (const time of times) {
    free = Math.max(free, time) + us / 1e3;
    backlog = Math.max(backlog, free - time);
  }
  const peak = Math.max(...seconds.values());
  return {
    peak_s: peak,
    js: ((peak / plan.survivors) * (cost.connect_us + plan.missed * cost.replay_us)) / 1e6,
    last_ms: free,
    backlog_ms: backlog,
  };
}

module.exports = { arrivals, storm, tenths };
