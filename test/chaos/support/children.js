'use strict';

// Processes of the test: none outlives it.

const { fork } = require('node:child_process');
const { once } = require('node:events');

const SAID_MAX = 4_000; // characters

class Children {
  constructor() {
    this._running = new Set();
    this._isClosed = false;
  }

  /**
   * @returns {import('node:child_process').ChildProcess} with `said`: the last it has written to stderr; `isWanted`:
   *   so is its end; `tell`: it need not live any more
   */
  fork(file, options) {
    if (this._isClosed) throw new Error('the test is over');
    const stdio = ['ignore', 'inherit', 'pipe', 'ipc'];
    const child = fork(file, [JSON.stringify(options)], { stdio });
    child.said = '';
    child.isWanted = false;
    child.tell = (message) => child.connected && child.send(message, () => {});
    child.stderr.setEncoding('utf8').on('data', (text) => {
      child.said = `${child.said}${text}`.slice(-SAID_MAX);
    });
    this._running.add(child);
    child.on('exit', () => this._running.delete(child));
    return child;
  }

  async close() {
    this._isClosed = true;
    await Promise.all(
      [...this._running].map((child) => {
        child.isWanted = true;
        const over = once(child, 'exit');
        child.kill('SIGKILL');
        return over;
      }),
    );
  }
}

module.exports = { Children };
