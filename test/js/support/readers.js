'use strict';

// Readers (reader.js) in a process of their own, so that they read while the process under test is busy.

const { execFileSync, fork } = require('node:child_process');
const path = require('node:path');

/** How many descriptors this process may have. */
function descriptors() {
  const answer = execFileSync('sh', ['-c', 'ulimit -n'], { encoding: 'utf8' }).trim();
  return answer === 'unlimited' ? Infinity : Number(answer);
}

class Readers {
  constructor() {
    this._child = fork(path.join(__dirname, 'reader-child.js'), { execArgv: [] });
    this._calls = new Map();
    this._groups = 0;
    this._last = 0;
    this._child.on('message', ({ call, result, error }) => {
      const { resolve, reject } = this._calls.get(call);
      this._calls.delete(call);
      if (error === undefined) resolve(result);
      else reject(new Error(`reader: ${error}`));
    });
    this._child.on('exit', (code, signal) => {
      for (const { reject } of this._calls.values())
        reject(new Error(`the readers have ended: ${code ?? signal}`));
    });
  }

  /** Connects a group; see Group. All its methods answer Promises of its report. */
  async open(how) {
    const group = ++this._groups;
    const on = (method, ...args) => this._call(group, method, args);
    await on('new', how);
    await on('open');
    return {
      until: (events) => on('until', events),
      ended: () => on('ended'),
      resume: () => on('resume'),
      report: () => on('report'),
      close: () => on('close'),
    };
  }

  /** Ends the process and with it all connections. */
  async close() {
    if (this._child.exitCode !== null || this._child.signalCode !== null) return;
    const exit = new Promise((resolve) => this._child.once('exit', resolve));
    this._child.disconnect();
    await exit;
  }

  _call(group, method, args) {
    const call = ++this._last;
    return new Promise((resolve, reject) => {
      this._calls.set(call, { resolve, reject });
      this._child.send({ call, group, method, args });
    });
  }
}

module.exports = { Readers, descriptors };
