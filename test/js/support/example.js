'use strict';

// An example of examples/ in a process of its own, on a free port or a given one.

const { spawn } = require('node:child_process');
const fs = require('node:fs');
const path = require('node:path');
const { when } = require('./stage');

const ROOT = path.join(__dirname, '..', '..', '..');

/** What examples/run.js starts, too: server.js, or what the `start` script of its package.json names. */
function entryOf(name) {
  const file = path.join(ROOT, 'examples', name, 'package.json');
  const { scripts } = fs.existsSync(file) ? JSON.parse(fs.readFileSync(file, 'utf8')) : {};
  return /^node (\S+)$/.exec(scripts?.start)?.[1] ?? 'server.js';
}

class Example {
  /**
   * @param {string} name of the folder in examples/
   * @param {object} [env] strings, beside what this process has
   */
  constructor(name, env = {}) {
    this.out = '';
    this.err = '';
    this._ended = false;
    this._child = spawn(process.execPath, [path.join('examples', name, entryOf(name))], {
      cwd: ROOT,
      env: { ...process.env, PORT: '0', ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    for (const stream of ['stdout', 'stderr']) {
      this._child[stream].setEncoding('utf8').on('data', (text) => {
        this[stream === 'stdout' ? 'out' : 'err'] += text;
      });
    }
    /** Resolves with `{ code, signal }`. */
    this.exit = new Promise((resolve) => {
      this._child.on('close', (code, signal) => {
        this._ended = true;
        resolve({ code, signal });
      });
    });
  }

  get pid() {
    return this._child.pid;
  }

  /** Resolves with the match once the output has it; rejects when the process ends without. */
  async prints(pattern, ms = 10_000) {
    await when(() => this._ended || pattern.test(this.out), `${pattern} in the output`, ms);
    const match = pattern.exec(this.out);
    if (match) return match;
    throw new Error(`no ${pattern} in ${JSON.stringify(this.out)}, ${JSON.stringify(this.err)}`);
  }

  signal(name) {
    this._child.kill(name);
  }

  /** Ends it, whatever it does. */
  async close() {
    this._child.kill('SIGKILL');
    await this.exit;
  }
}

module.exports = { Example };
