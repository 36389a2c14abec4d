'use strict';

const { fork } = require('node:child_process');
const path = require('node:path');
const { usageOf } = require('./proc');

/** A driver in a process of its own, and what a scenario asks of it (scenario.js: `start`). */
class ServerProcess {
  #child;
  #asked = new Map(); // of each question its { resolve, reject }
  #number = 0;
  #settings;
  #pids;
  #error = '';

  static async start(driver, scenario, options, settings) {
    const server = new ServerProcess();
    server.#settings = settings;
    // A process group of its own: Ctrl-C is for the benchmark, which then ends what it has started.
    server.#child = fork(
      path.join(__dirname, '..', 'server.js'),
      [driver, scenario.name, JSON.stringify(options)],
      {
        execArgv: ['--expose-gc', ...(scenario.flags ?? [])],
        stdio: ['ignore', 'inherit', 'pipe', 'ipc'],
        detached: true,
      },
    );
    server.#watch();
    try {
      const { port, tls, protocol, pids } = await server.#ask('listen');
      Object.assign(server, { port, tls, protocol });
      server.#pids = pids;
    } catch (err) {
      server.kill();
      throw err;
    }
    return server;
  }

  #watch() {
    const child = this.#child;
    child.stderr.setEncoding('utf8').on('data', (text) => {
      this.#error = (this.#error + text).slice(-2_000);
    });
    child.on('message', ({ id, value, error }) => {
      const { resolve, reject } = this.#asked.get(id);
      this.#asked.delete(id);
      if (error === undefined) resolve(value);
      else reject(new Error(error));
    });
    child.on('close', (code, signal) => {
      const said = this.#error.trim();
      const err = new Error(`the server ended (${code ?? signal})${said && `: ${said}`}`);
      for (const { reject } of this.#asked.values()) reject(err);
      this.#asked.clear();
    });
  }

  #ask(act, more = {}) {
    return new Promise((resolve, reject) => {
      const id = ++this.#number;
      this.#asked.set(id, { resolve, reject });
      this.#child.send({ id, act, ...more }, (err) => err && reject(err));
    });
  }

  work(name, settings = {}) {
    return this.#ask('work', { name, settings: { ...this.#settings, ...settings } });
  }

  /** The processes whose CPU and memory count. */
  get pids() {
    return this.#pids ?? [this.#child.pid];
  }

  async usage() {
    return this.#pids ? usageOf(this.#pids) : usageOf(this.pids, this.#child.pid);
  }

  gc() {
    return this.#ask('gc');
  }

  stats() {
    return this.#ask('stats');
  }

  /** The driver's own process is killed; servers that it has started are ended by it first. */
  async stop() {
    if (this.#pids) {
      await Promise.race([
        this.#ask('stop').catch(() => {}),
        new Promise((resolve) => setTimeout(resolve, 2_000).unref()),
      ]);
    }
    this.kill();
  }

  kill() {
    this.#child.kill('SIGKILL');
  }
}

module.exports = { ServerProcess };
