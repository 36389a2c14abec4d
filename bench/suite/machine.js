'use strict';

const { execFileSync } = require('node:child_process');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');

function machineOf() {
  return {
    cpu: os.cpus()[0]?.model.trim() ?? 'unknown',
    cores: os.availableParallelism(),
    memory_gib: Math.round((os.totalmem() / 2 ** 30) * 10) / 10,
    system: `${os.type()} ${os.release()} ${os.arch()}`,
    node: process.version,
  };
}

// What a number depends on; a commit to anything else measures the same.
const MEASURED = ['lib', 'src', 'binding.gyp', 'bench/drivers', 'bench/scenarios', 'bench/native'];

/** @returns {string | undefined} the last commit to what is measured; '+' if files differ from it */
function commitOf() {
  const git = (...args) =>
    execFileSync('git', [...args, '--', ...MEASURED], {
      cwd: path.join(__dirname, '..', '..'),
      stdio: ['ignore', 'pipe', 'ignore'],
      encoding: 'utf8',
    }).trim();
  try {
    return git('log', '-1', '--format=%h') + (git('status', '--porcelain') ? '+' : '');
  } catch {
    return undefined; // not a clone
  }
}

const TICK_S = 0.01; // USER_HZ, which is 100 wherever Node runs

/** CPU time of the whole machine and of this process with the children it has had, in seconds. */
function cpuTimes() {
  const [first] = fs.readFileSync('/proc/stat', 'latin1').split('\n');
  const [user, nice, system, idle, wait, irq, softirq, steal] = first
    .split(/\s+/)
    .slice(1)
    .map((ticks) => Number(ticks) * TICK_S);
  const own = fs.readFileSync('/proc/self/stat', 'latin1');
  const fields = own.slice(own.lastIndexOf(')') + 2).split(' '); // from the third field on
  const ours = fields.slice(11, 15).reduce((sum, ticks) => sum + Number(ticks) * TICK_S, 0);
  const busy = user + nice + system + irq + softirq;
  return { busy, ours, steal, all: busy + idle + wait + steal };
}

/**
 * What else the machine did between two cpuTimes(): shares of all its cores, in per cent. The load average can't tell: most of it is the run
 * itself.
 */
function othersBetween(before, after) {
  const all = after.all - before.all;
  if (all <= 0) return { others: 0, steal: 0 };
  const percent = (part) => Math.max(0, Math.round((part / all) * 1000) / 10);
  const others = after.busy - before.busy - (after.ours - before.ours);
  return { others: percent(others), steal: percent(after.steal - before.steal) };
}

module.exports = { commitOf, cpuTimes, machineOf, othersBetween };
