'use strict';

const { spawn } = require('node:child_process');
const readline = require('node:readline');
const { nativePath } = require('./native');

/** The load in a process of its own, for one server. */
class Load {
  #child;
  #lines;
  #server;
  #seconds;

  static async start(server, seconds) {
    const load = new Load();
    load.#server = server;
    load.#seconds = seconds;
    return load;
  }

  /** Opens the streams; every one of them expects so many events. */
  async open(path, { clients, events }) {
    const args = [this.#server.port, path, clients, events, this.#seconds].map(String);
    this.#child = spawn(nativePath('load'), args, { stdio: ['ignore', 'pipe', 'inherit'] });
    this.#lines = readline.createInterface({ input: this.#child.stdout })[Symbol.asyncIterator]();
    const { value } = await this.#lines.next();
    if (value !== `ready ${clients}`) throw new Error(`not all streams opened: ${value}`);
  }

  /** Resolves with what arrived once every stream has all of its events; throws if that is not all, or not in order. */
  async arrived({ clients, events }) {
    const got = JSON.parse((await this.#lines.next()).value);
    if (got.events === clients * events && got.disorder === 0) return got;
    throw new Error(
      `${got.events} of ${clients * events} events arrived, ${got.disorder} out of order`,
    );
  }

  kill() {
    this.#child?.kill('SIGKILL');
  }
}

module.exports = { Load };
