'use strict';

// Runs a piece of a program in a Node process of its own, with the library and the helpers of these tests at hand.

const { spawn } = require('node:child_process');
const path = require('node:path');

const HEAD = `
const { createHub, sse } = require('fanline');
const { once } = require('node:events');
const fs = require('node:fs');
const http = require('node:http');
const { Worker } = require('node:worker_threads');
const { serve } = require('./test/js/support/serve');
const { open } = require('./test/js/support/open');
const { Stage, deaf, quiet, when } = require('./test/js/support/stage');
const big = 'x'.repeat(40_000);
`;

/**
 * @param {string} body of an async function
 * @param {{args?: string[], ms?: number, kill?: (child, out: string) => void}} [options] `kill` is called with what has been
 *   printed so far
 * @returns {Promise<{code: number|null, signal: string|null, out: string, err: string, ms: number}>} `signal` is SIGKILL
 *   also when it took longer than `ms`
 */
function run(body, { args = [], ms = 15_000, watch } = {}) {
  return new Promise((resolve) => {
    const begun = Date.now();
    const source = `${HEAD}\n(async () => {\n${body}\n})();`;
    const child = spawn(process.execPath, [...args, '-e', source], {
      cwd: path.join(__dirname, '..', '..', '..'),
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let out = '';
    let err = '';
    const timer = setTimeout(() => {
      err += `killed after ${ms} ms`;
      child.kill('SIGKILL');
    }, ms);
    child.stdout.setEncoding('utf8').on('data', (text) => {
      out += text;
      watch?.(child, out);
    });
    child.stderr.setEncoding('utf8').on('data', (text) => {
      err += text;
    });
    child.on('close', (code, signal) => {
      clearTimeout(timer);
      resolve({ code, signal, out, err, ms: Date.now() - begun });
    });
  });
}

module.exports = { HEAD, run };
