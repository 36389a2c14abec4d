'use strict';

// All that is counted, in one go: scenario → count → value. The kinds of counts differ in how exact they are, and so in what is let
// pass above a measured value (`ceiling`).

const { execFile } = require('node:child_process');
const fs = require('node:fs');
const path = require('node:path');
const { promisify } = require('node:util');
const addon = require('./addon');
const instructions = require('./instructions');
const strace = require('./strace');

const run = promisify(execFile);
const TIMEOUT = 120_000;
// Garbage is collected when heap.js says so, and nothing is optimised beside it.
const HEAP_FLAGS = [
  ...['--expose-gc', '--no-opt', '--no-sparkplug', '--no-lazy-feedback-allocation'],
  ...['--single-threaded', '--min-semi-space-size=64', '--max-semi-space-size=64'],
];

const TOOLS = ['gcc', 'g++', 'nm', 'readelf', 'valgrind', 'strace'];

/** What this machine lacks. */
function missing() {
  if (process.platform !== 'linux') return ['Linux'];
  const dirs = (process.env.PATH ?? '').split(path.delimiter);
  return TOOLS.filter((tool) => !dirs.some((dir) => fs.existsSync(path.join(dir, tool))));
}

async function output(args, env) {
  const options = { env: { ...process.env, ...env }, timeout: TIMEOUT };
  const { stdout } = await run(process.execPath, args, options);
  return JSON.parse(stdout);
}

/** A process that serves streams, with the counted addon: counts without zeroes, by thread. */
async function ofServer() {
  const env = addon.build();
  const found = await output([path.join(__dirname, 'server.js')], env);
  const rows = {};
  for (const [scenario, threads] of Object.entries(found)) {
    rows[scenario] = {};
    for (const [thread, counts] of Object.entries(threads)) {
      for (const [name, value] of Object.entries(counts)) {
        if (value !== 0) rows[scenario][`${thread}: ${name}`] = value;
      }
    }
  }
  return rows;
}

function ofCore() {
  const { results, buffers } = instructions.measure();
  const rows = { 'a broadcast to 1,000 in the core': { buffers } };
  for (const [what, cost] of Object.entries(results)) {
    rows[what] = { [`instructions per ${cost.unit}`]: cost.instructions };
    if (cost.misses !== undefined) rows[what][`cache misses per ${cost.unit}`] = cost.misses;
  }
  return rows;
}

async function ofHeap() {
  const found = await output([...HEAP_FLAGS, path.join(__dirname, 'heap.js')]);
  return Object.fromEntries(
    Object.entries(found).map(([what, bytes]) => [
      `${what} in JavaScript`,
      { 'bytes of heap': bytes },
    ]),
  );
}

function ofKernel() {
  return { [`a broadcast to ${strace.CLIENTS}, as the kernel sees it`]: strace.measure() };
}

/** @returns {Promise<Object<string, Object<string, number>>>} */
async function measureAll() {
  let rows;
  try {
    const server = ofServer(); // it waits most of the time
    const others = { ...ofCore(), ...(await ofHeap()), ...ofKernel() };
    rows = { ...(await server), ...others };
  } finally {
    fs.rmSync(addon.OUT, { recursive: true, force: true });
  }
  for (const counts of Object.values(rows)) {
    for (const name of Object.keys(counts)) counts[name] = Math.round(counts[name] * 100) / 100;
  }
  return rows;
}

// Compilers differ by up to 16 % at -O2 (gcc 12 and clang 14 on x64), and by more between architectures.
const OTHER_COMPILER = 1.2;
const OTHER_ARCHITECTURE = 1.5;

/**
 * The most that is let pass where `measured` was measured.
 * @param {string} scenario
 * @param {string} count
 * @param {number} measured
 */
function ceiling(scenario, count, measured) {
  const upTo = (factor) => Math.ceil(measured * factor * 100) / 100;
  if (count.startsWith('instructions per ')) return upTo(1.05);
  // Where the heap begins moves them a little.
  if (count.startsWith('cache misses per ')) return Math.ceil(measured * 105 + 5) / 100;
  if (count === 'bytes of heap') return upTo(1.08); // Node 20 to 26 are within 5 %
  // A lock is waited for, memory is given back: now and then.
  if (scenario.endsWith('as the kernel sees it')) return Math.round(measured) + 0.25;
  return Math.ceil(measured); // what is paid now and then, for some at once, is a fraction
}

/**
 * How many times the ceiling is let pass, because another compiler made the addon than the one of the table.
 * @param {string} count
 * @param {string} compiler of the table
 */
function leeway(count, compiler) {
  const here = addon.compiler();
  if (!count.startsWith('instructions per ') || here === compiler) return 1;
  const architecture = (name) => name.split(' ').pop();
  return architecture(here) === architecture(compiler) ? OTHER_COMPILER : OTHER_ARCHITECTURE;
}

module.exports = { ceiling, leeway, measureAll, missing };
