'use strict';

// examples/run.js in a process of its own, as `npm run example -- <args>` starts it.

const { spawn } = require('node:child_process');
const path = require('node:path');
const { when } = require('../../js/support/stage');

const ROOT = path.join(__dirname, '..', '..', '..');

class Runner {
  /**
   * @param {string[]} args behind `npm run example --`
   * @param {{dir?: string, env?: object}} [options] `dir`: where run.js is
   */
  constructor(args, { dir = path.join(ROOT, 'examples'), env } = {}) {
    this.out = '';
    this.err = '';
    this.code = undefined;
    this.child = spawn(process.execPath, [path.join(dir, 'run.js'), ...args], {
      cwd: ROOT,
      env: { ...process.env, PORT: '0', ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    for (const [stream, name] of [
      ['stdout', 'out'],
      ['stderr', 'err'],
    ]) {
      this.child[stream].setEncoding('utf8').on('data', (text) => {
        this[name] += text;
      });
    }
    /** Resolves with the exit code, or the signal that ended it. */
    this.exit = new Promise((resolve) => {
      this.child.on('close', (code, signal) => {
        this.code = code ?? signal;
        resolve(this.code);
      });
    });
  }

  /** The address that the example says it listens at. */
  async address(ms = 20_000) {
    const pattern = /open at (https?:\/\/localhost:\d+)|listens on port (\d+)/;
    await when(() => this.code !== undefined || pattern.test(this.out), 'the address', ms);
    const match = pattern.exec(this.out);
    if (match) return match[1] ?? `http://localhost:${match[2]}`;
    throw new Error(`it ended with ${this.code}: ${this.out}${this.err}`);
  }

  async close() {
    this.child.kill('SIGKILL');
    await this.exit;
  }
}

/** Resolves with what it prints and its exit code, once it has ended. */
async function run(args, options) {
  const runner = new Runner(args, options);
  const code = await runner.exit;
  return { code, out: runner.out, err: runner.err };
}

module.exports = { ROOT, Runner, run };
