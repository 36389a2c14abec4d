'use strict';

// A process of an application: a hub on Redis, a server, and a client of its own that notes what it gets.

const { fork } = require('node:child_process');
const { once } = require('node:events');
const path = require('node:path');

class Process {
  /** @param {{library: string, port: number, room?: string, redis?: object, hub?: object}} options see process-child.js */
  constructor(options) {
    const modules = path.join(__dirname, '..', 'node_modules');
    this._child = fork(path.join(__dirname, 'process-child.js'), [JSON.stringify(options)], {
      env: { ...process.env, NODE_PATH: modules },
      serialization: 'advanced',
    });
    this._last = 0;
    this._asked = new Map();
    this._child.on('message', ({ number, answer, error }) => {
      const { resolve, reject } = this._asked.get(number);
      this._asked.delete(number);
      if (error === undefined) resolve(answer);
      else reject(new Error(error));
    });
    this._child.on('exit', (code, signal) => {
      for (const { reject } of this._asked.values())
        reject(new Error(`it ended: ${code ?? signal}`));
    });
  }

  get pid() {
    return this._child.pid;
  }

  /** Calls one of the functions of process-child.js there. */
  ask(name, ...args) {
    const number = ++this._last;
    return new Promise((resolve, reject) => {
      this._asked.set(number, { resolve, reject });
      this._child.send({ number, name, args });
    });
  }

  async close() {
    if (this._child.exitCode !== null || this._child.signalCode !== null) return;
    this._child.kill('SIGKILL');
    await once(this._child, 'exit');
  }
}

module.exports = { Process };
