'use strict';

// A Redis, server processes and a process of readers: fresh ones for each measurement.

const { fork } = require('node:child_process');
const { once } = require('node:events');
const fs = require('node:fs');
const path = require('node:path');
const { startRedis } = require('../../test/redis/support/server');

/** CPU seconds of a process, with all its threads, where the kernel tells. */
function cpuOf(pid) {
  let ns = 0;
  for (const thread of fs.readdirSync(`/proc/${pid}/task`)) {
    ns += Number(fs.readFileSync(`/proc/${pid}/task/${thread}/schedstat`, 'latin1').split(' ')[0]);
  }
  return ns / 1e9;
}

/** A process that answers each message with one of the same id; its first, without being asked, has id 0. */
class Child {
  constructor(file, args, execArgv = []) {
    this._child = fork(path.join(__dirname, file), args.map(String), { execArgv });
    this._asked = new Map(); // id → { resolve, reject }
    this._id = 0;
    this.ready = this._answer(0);
    this._child.on('message', (message) => {
      this._asked.get(message.id)?.resolve(message);
      this._asked.delete(message.id);
    });
    this._child.on('exit', (code) => {
      for (const { reject } of this._asked.values())
        reject(new Error(`${file} ${args[0]} ended (${code})`));
    });
  }

  get pid() {
    return this._child.pid;
  }

  _answer(id) {
    return new Promise((resolve, reject) => this._asked.set(id, { resolve, reject }));
  }

  ask(message) {
    const id = ++this._id;
    this._child.send({ id, ...message });
    return this._answer(id);
  }

  async stop() {
    if (this._child.exitCode !== null || this._child.signalCode !== null) return;
    const over = once(this._child, 'exit');
    this._child.disconnect();
    await over;
  }
}

class Venue {
  /**
   * @param {string} driver
   * @param {number} processes
   * @param {{library: string, execArgv?: string[]}} settings and those of server.js
   */
  static async open(driver, processes, settings) {
    const venue = new Venue();
    try {
      await venue._open(driver, processes, settings);
    } catch (err) {
      await venue.close();
      throw err;
    }
    return venue;
  }

  async _open(driver, processes, { library, execArgv, ...settings }) {
    this._isOurs = driver === 'fanline';
    this.disorder = 0; // events so far
    this.redis = await startRedis();
    this.another = (index = processes) => {
      const args = [driver, index, this.redis.port, library, JSON.stringify(settings)];
      return new Child('server.js', args, execArgv);
    };
    this.servers = Array.from({ length: processes }, (_, i) => this.another(i));
    const listening = await Promise.all(this.servers.map(({ ready }) => ready));
    this.readers = new Child('reader.js', [driver, ...listening.map(({ port }) => port)]);
    await this.readers.ready;
  }

  /** All servers do the same; resolves with what they have sent so far once all of it has arrived. */
  async act(message, servers = this.servers) {
    await Promise.all(servers.map((server) => server.ask(message)));
    const told = await Promise.all(this.servers.map((server) => server.ask({})));
    const counts = told.map(({ sent }) => sent);
    const waits = setTimeout(async () => {
      const { state } = await this.readers.ask({});
      console.error(`events are missing: sent ${counts}, arrived ${JSON.stringify(state)}`);
      for (const server of this.servers) console.error((await server.ask({})).stats);
      await this.readers.stop();
    }, 15_000);
    const arrived = await this.readers.ask({ counts });
    clearTimeout(waits);
    if (arrived.disorder > 0 && this._isOurs) {
      throw new Error(`${arrived.disorder} events came out of order`);
    }
    this.disorder = arrived.disorder; // of a rival it is told beside its numbers
    return { ...arrived, sent: counts.reduce((sum, count) => sum + count, 0) };
  }

  /** CPU seconds so far, of each kind of process. */
  async cpu() {
    const [readers, ...servers] = await Promise.all(
      [this.readers, ...this.servers].map((child) => child.ask({})),
    );
    return {
      servers: servers.reduce((sum, { cpu_s }) => sum + cpu_s, 0),
      redis: cpuOf(this.redis.pid),
      readers: readers.cpu_s,
    };
  }

  async close() {
    await Promise.all([this.readers, ...(this.servers ?? [])].map((child) => child?.stop()));
    await this.redis?.stop();
  }
}

module.exports = { Child, Venue, cpuOf };
