'use strict';

const { fork } = require('node:child_process');
const { once } = require('node:events');
const path = require('node:path');

/** A driver in a process of its own; what it serves ends with it. */
class DriverProcess {
  static async start(name, options = {}) {
    const server = new DriverProcess();
    const file = path.join(__dirname, 'served.js');
    server.said = '';
    server._asked = new Map();
    server._id = 0;
    server._child = fork(file, [name, JSON.stringify(options)], {
      stdio: ['ignore', 'inherit', 'pipe', 'ipc'],
    });
    server._child.stderr.setEncoding('utf8').on('data', (text) => {
      server.said += text;
    });
    server._child.on('message', ({ id, value, error }) => {
      const { resolve, reject } = server._asked.get(id);
      server._asked.delete(id);
      if (error === undefined) resolve(value);
      else reject(new Error(error));
    });
    server._child.on('exit', () => {
      for (const { reject } of server._asked.values())
        reject(new Error(`the driver has ended: ${server.said}`));
    });
    Object.assign(server, await server.ask('listen'));
    return server;
  }

  /** One of served.js's acts. */
  ask(act, ...args) {
    return new Promise((resolve, reject) => {
      this._asked.set(++this._id, { resolve, reject });
      this._child.send({ id: this._id, act, args }, (err) => err && reject(err));
    });
  }

  /** As the benchmark does with one that does not answer. */
  async kill() {
    const ended = once(this._child, 'exit');
    this._child.kill('SIGKILL');
    await ended;
  }

  /** @returns {Promise<string>} what it has written to stderr */
  async stop() {
    if (this._child.signalCode !== null) return this.said;
    const ended = Promise.all([once(this._child, 'exit'), once(this._child.stderr, 'close')]);
    if (this._child.connected) this._child.disconnect();
    await ended;
    return this.said;
  }
}

module.exports = { DriverProcess };
