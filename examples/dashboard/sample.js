'use strict';

// What this machine and this process are doing, as one flat object of numbers for each interval. What a system does not
// tell is null.

const fs = require('node:fs/promises');
const os = require('node:os');
const { performance } = require('node:perf_hooks');
const { setTimeout: sleep } = require('node:timers/promises');

const LAG_EVERY = 50; // ms

/** Of all processors together since the system began: ms idle, and ms in all. */
function processorTimes() {
  let idle = 0;
  let all = 0;
  for (const { times } of os.cpus()) {
    idle += times.idle;
    for (const ms of Object.values(times)) all += ms;
  }
  return { idle, all };
}

/** Bytes through all interfaces but the loopback since the system began. Linux only. */
async function networkBytes() {
  const text = await fs.readFile('/proc/net/dev', 'utf8').catch(() => '');
  const rows = [...text.matchAll(/^\s*([^\s:]+):\s*(.+)$/gm)].filter(([, name]) => name !== 'lo');
  if (rows.length === 0) return null;
  const sum = (column) =>
    rows.reduce((all, [, , row]) => all + Number(row.split(/\s+/)[column]), 0);
  return { received: sum(0), sent: sum(8) };
}

async function diskBytes(path) {
  const stats = await fs.statfs(path).catch(() => null);
  return (
    stats && { used: (stats.blocks - stats.bfree) * stats.bsize, total: stats.blocks * stats.bsize }
  );
}

/**
 * How late timers are, which is how long an event has to wait. `perf_hooks.monitorEventLoopDelay` knows it to the
 * millisecond, at the price of a timer every ten; for a chart this is enough.
 */
function watchLag(signal) {
  let most = 0;
  let due = performance.now() + LAG_EVERY;
  const timer = setInterval(() => {
    const now = performance.now();
    most = Math.max(most, now - due);
    due = now + LAG_EVERY;
  }, LAG_EVERY);
  signal.addEventListener('abort', () => clearInterval(timer));
  return () => {
    const lag = most;
    most = 0;
    return lag;
  };
}

/**
 * A sample at the end of every interval, until the signal aborts.
 * @param {import('fanline').Hub} hub
 * @param {number} interval ms
 * @param {AbortSignal} signal
 */
async function* samples(hub, interval, signal) {
  const lag = watchLag(signal);
  const counters = async () => ({
    at: performance.now(),
    processor: processorTimes(),
    network: await networkBytes(),
    loop: performance.eventLoopUtilization(),
    hub: hub.stats(),
  });
  let before = await counters();
  for (;;) {
    await sleep(interval - (Date.now() % interval), undefined, { signal });
    const now = await counters();
    const seconds = (now.at - before.at) / 1_000;
    const rate = (after, earlier) => Math.round((after - earlier) / seconds);
    const all = now.processor.all - before.processor.all;
    const disk = await diskBytes(__dirname);
    yield {
      at: Date.now(),
      cpu: all > 0 ? percent(1 - (now.processor.idle - before.processor.idle) / all) : null,
      memory: os.totalmem() - os.freemem(),
      disk: disk?.used ?? null,
      received: now.network && rate(now.network.received, before.network.received),
      sent: now.network && rate(now.network.sent, before.network.sent),
      lag: Math.round(lag() * 10) / 10,
      busy: percent(performance.eventLoopUtilization(now.loop, before.loop).utilization),
      rss: process.memoryUsage.rss(),
      clients: now.hub.clients,
      deliveries: rate(now.hub.deliveries, before.hub.deliveries),
      written: rate(now.hub.bytesWritten, before.hub.bytesWritten),
    };
    before = now;
  }
}

const percent = (share) => Math.round(Math.min(1, Math.max(0, share)) * 1_000) / 10;

/** What does not change. */
async function about() {
  const disk = await diskBytes(__dirname);
  return {
    host: os.hostname(),
    system: `${os.type()} ${os.arch()}`,
    processors: os.cpus().length,
    node: process.version,
    memory: os.totalmem(),
    disk: disk?.total ?? null,
  };
}

module.exports = { about, samples };
