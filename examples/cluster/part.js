'use strict';

// A program that start.js keeps: when it dies, it is started again a little later. Each has a process group of its own, so that
// Ctrl-C in the terminal ends start.js alone, which then ends all of them in order.

const { spawn } = require('node:child_process');
const { EventEmitter, once } = require('node:events');
const readline = require('node:readline');
const { setTimeout: delay } = require('node:timers/promises');

const PATIENCE = 10_000; // ms until it must work
const PARTING = 5_000; // ms until it must have ended

/** To all processes of a group. */
function signal(pid, name) {
  try {
    process.kill(-pid, name);
  } catch {
    // they have ended
  }
}

/** Events: `line` (text), `message` (of a Node.js process), `up` (pid), `down` (pid, how). */
class Part extends EventEmitter {
  /**
   * @param {object} what
   * @param {string} what.name
   * @param {string[]} what.command
   * @param {object} [what.env]
   * @param {boolean} [what.hasChannel] it is a Node.js process and sends messages
   * @param {(part: Part) => Promise<boolean>} what.works asked again and again
   * @param {number} what.again ms after which it is started again
   */
  constructor(what) {
    super();
    Object.assign(this, what);
    this.pid = undefined;
    this._child = null;
    this._hasWorked = false;
    this._isEnding = false;
    this._last = []; // lines
  }

  /** Resolves when it works; rejects when it ends before, and is not started again unless it has worked once. */
  async start() {
    const [command, ...args] = this.command;
    const child = spawn(command, args, {
      detached: true,
      env: { ...process.env, ...this.env },
      stdio: ['ignore', 'pipe', 'pipe', ...(this.hasChannel ? ['ipc'] : [])],
    });
    this._child = child;
    this.pid = child.pid;
    this.emit('changed');
    child.on('message', (message) => this.emit('message', message));
    for (const stream of [child.stdout, child.stderr]) {
      readline.createInterface({ input: stream }).on('line', (line) => this._said(line));
    }
    child.once('error', (err) => this._ended(child, err.message));
    child.once('exit', (code, name) => this._ended(child, name ?? `exit code ${code}`));
    await this._working(child);
    this._hasWorked = true;
    this.emit('up', child.pid);
  }

  async _working(child) {
    const limit = Date.now() + PATIENCE;
    while (!(await this.works(this))) {
      if (this._child !== child || Date.now() > limit) {
        throw new Error([`${this.name} does not start:`, ...this._last].join('\n  '));
      }
      await delay(20);
    }
  }

  _said(line) {
    this._last = [...this._last, line].slice(-10);
    this.emit('line', line);
  }

  _ended(child, how) {
    if (this._child !== child) return;
    this._child = null;
    this.pid = undefined;
    if (child.pid !== undefined) signal(child.pid, 'SIGKILL'); // what it had started, if it was killed
    this.emit('changed');
    this.emit('down', child.pid, how);
    if (this._isEnding || !this._hasWorked) return;
    this._timer = setTimeout(() => {
      this.start().catch((err) => this.emit('line', err.message));
    }, this.again);
  }

  kill(name) {
    this._child?.kill(name);
  }

  /** For good. Resolves when it has ended. */
  async stop() {
    this._isEnding = true;
    clearTimeout(this._timer);
    const child = this._child;
    if (child === null) return;
    const over = once(this, 'down');
    child.kill('SIGTERM');
    const timer = setTimeout(signal, PARTING, child.pid, 'SIGKILL');
    await over;
    clearTimeout(timer);
  }
}

module.exports = { Part, signal };
