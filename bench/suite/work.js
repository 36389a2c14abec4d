'use strict';

// What scenarios do in a driver's process (scenario.js: `work`).

const { performance } = require('node:perf_hooks');

const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
const turn = () => new Promise((resolve) => setImmediate(resolve));

/** What the load looks at: the number in its sequence, when it was sent, and so many bytes more. */
function eventText(number, padding) {
  return `${number} ${process.hrtime.bigint()} ${padding}`;
}

/**
 * Sends `events` times, `burst` in one stretch of code, stretches at `hz` (0: one in each turn of the event loop).
 * @param {(number: number) => void | Promise<void>} send
 * @returns {Promise<{ seconds: number, busy_p50_ms: number }>} busy: of the JavaScript thread for each stretch, with the two ticks in
 *   which Node writes
 */
async function paced(send, { events, hz, burst = 1 }) {
  const busy = [];
  const start = performance.now();
  let number = 1;
  while (number <= events) {
    const before = performance.now();
    for (let i = 0; i < burst && number <= events; i++) {
      const sent = send(number++);
      if (sent instanceof Promise) await sent;
    }
    await turn();
    if (hz) await turn();
    busy.push(performance.now() - before);
    if (!hz) continue;
    const rest = start + (busy.length * 1000) / hz - performance.now();
    if (rest > 0) await sleep(rest);
  }
  const seconds = (performance.now() - start) / 1000;
  busy.sort((a, b) => a - b);
  return { seconds, busy_p50_ms: busy[busy.length >> 1] };
}

/** paced() with events that the load knows, to everybody. */
function broadcasts(server, { events, hz, size, burst }) {
  const padding = 'x'.repeat(size);
  return paced((number) => server.broadcast(eventText(number, padding)), { events, hz, burst });
}

/** A source of `events` tokens at `hz`; sources do not begin together. */
async function* tokens({ events, hz, size }) {
  const padding = 'x'.repeat(size);
  const step = 1000 / hz;
  const start = performance.now() + Math.random() * step;
  for (let number = 1; number <= events; number++) {
    await sleep(Math.max(0, start + number * step - performance.now()));
    yield eventText(number, padding);
  }
}

/**
 * `events` tokens at `hz` by send() on each stream, from one timer that goes round: at each of its ticks another part of the streams has
 * one. What that costs apart from send() is the same for every driver.
 */
async function sendTokens(streams, { events, hz, size, tick_ms }) {
  const padding = 'x'.repeat(size);
  const parts = Math.max(1, Math.round(1000 / hz / tick_ms));
  const start = performance.now();
  for (let tick = 0; tick < events * parts; tick++) {
    const number = Math.floor(tick / parts) + 1;
    for (let i = tick % parts; i < streams.length; i += parts)
      streams[i].send(eventText(number, padding));
    const rest = start + (tick + 1) * tick_ms - performance.now();
    await (rest > 0 ? sleep(rest) : turn());
  }
  for (const stream of streams) stream.end();
}

/** Numbers from 0 to 1 that are the same in every process: mulberry32. */
function random(seed) {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

module.exports = { broadcasts, eventText, paced, random, sendTokens, sleep, tokens, turn };
