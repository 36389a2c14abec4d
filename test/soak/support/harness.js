'use strict';

// Processes for measurements: servers that are spoken to by IPC, whose memory the operating system tells, and the benchmark's
// reader of many streams (bench/native/load).

const { fork } = require('node:child_process');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const { Load } = require('../../../bench/suite/load');
const { buildNative } = require('../../../bench/suite/native');

const MIB = 1 << 20;
const PAGE = 4_096;

class Server {
  /** @param {string} file in this folder @param {object} options its argument */
  constructor(file, options) {
    this._child = fork(path.join(__dirname, file), [JSON.stringify(options)], { execArgv: [] });
    this._replies = [];
    this._waiters = [];
    this._child.on('message', (message) => {
      if (this._waiters.length > 0) this._waiters.shift().resolve(message);
      else this._replies.push(message);
    });
    this._child.on('exit', (code, signal) => {
      for (const { reject } of this._waiters) reject(new Error(`ended: ${code ?? signal}`));
    });
  }

  /** The next message. */
  reply() {
    if (this._replies.length > 0) return Promise.resolve(this._replies.shift());
    return new Promise((resolve, reject) => this._waiters.push({ resolve, reject }));
  }

  tell(message) {
    this._child.send(message);
  }

  ask(message) {
    this.tell(message);
    return this.reply();
  }

  /** Resident memory, MiB. */
  rss() {
    const [, pages] = fs.readFileSync(`/proc/${this._child.pid}/statm`, 'utf8').split(' ');
    return (Number(pages) * PAGE) / MIB;
  }

  /** Looks at the memory all the while. @returns {() => number} ends it, and answers the highest that was seen, MiB */
  watch() {
    let most = this.rss();
    const timer = setInterval(() => {
      most = Math.max(most, this.rss());
    }, 20);
    return () => {
      clearInterval(timer);
      return Math.max(most, this.rss());
    };
  }

  stop() {
    this._child.kill('SIGKILL');
  }
}

/**
 * Opens streams that are read as fast as they come, by a process that gives way to the server's (it stands for other machines). Each must see the numbers 1, 2, 3, ...
 * @returns {Promise<{done: Promise<object>, stop: () => void}>} once all are open; `done`: what has come, see Load.arrived in bench/suite/load.js
 */
async function readAll(port, pathname, clients, events, seconds) {
  const load = await Load.start({ port }, seconds);
  os.setPriority(load.pid, os.constants.priority.PRIORITY_BELOW_NORMAL);
  await load.open(pathname, { clients });
  const done = load.arrived({ events });
  done.catch(() => {}); // told when it is awaited
  return { done, stop: () => load.kill() };
}

module.exports = { MIB, Server, buildReader: buildNative, readAll };
