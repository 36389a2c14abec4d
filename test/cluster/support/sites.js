'use strict';

// Workers that run site.js, as the test holds them.

const cluster = require('node:cluster');
const path = require('node:path');
const { open } = require('fanline/testing');

const EXEC = path.join(__dirname, 'site.js');

/** Resolves with exit code and signal. Not once(): what was on its way to it may fail, and that is no matter. */
function ended(worker) {
  return new Promise((resolve) => {
    worker.once('exit', (...how) => resolve(how));
  });
}

class WorkerSite {
  constructor(options) {
    cluster.setupPrimary({ exec: EXEC, serialization: 'json', execArgv: [] });
    this.worker = cluster.fork({ SITE: JSON.stringify(options) });
    this.accepted = []; // [id, text]
    this.port = 0;
    this._asked = new Map();
    this._last = 0;
    this._ready = new Promise((resolve) => {
      this._isReady = resolve;
    });
    this._sent = new Map(); // name → resolve
    this.worker.on('message', ([what, ...args]) => this._said(what, args));
    this.worker.on('error', () => {}); // what was on its way when it was killed
  }

  _said(what, args) {
    if (what === 'port') {
      [this.port] = args;
      this._isReady();
    } else if (what === 'accepted') this.accepted.push(args);
    else if (what === 'sent') this._sent.get(args[0])();
    else if (what === 'answer') this._asked.get(args[0])(args[1]);
  }

  async ready() {
    await this._ready;
    return this;
  }

  /** A stream of its room. */
  listen(query, options) {
    return open(`http://127.0.0.1:${this.port}/?${query}`, { timeout: 10_000, ...options });
  }

  /** Resolves when all have been accepted; does not, if it dies before. */
  send(name, count, text) {
    const sent = new Promise((resolve) => this._sent.set(name, resolve));
    this.worker.send(['send', name, count, text]);
    return sent;
  }

  /** Calls a method of its hub. */
  ask(verb, ...args) {
    return new Promise((resolve) => {
      this._asked.set(++this._last, resolve);
      this.worker.send(['ask', this._last, verb, ...args]);
    });
  }

  signal(signal) {
    this.worker.process.kill(signal);
  }

  async kill() {
    const over = ended(this.worker);
    this.signal('SIGKILL');
    return over;
  }

  /** @returns {Promise<[number, string|null]>} exit code and signal */
  async close() {
    if (this.worker.isDead()) return [0, null];
    const over = ended(this.worker);
    this.worker.send(['close']);
    return over;
  }
}

module.exports = { WorkerSite };
