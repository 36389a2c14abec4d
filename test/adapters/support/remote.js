'use strict';

// Adapters whose links are in workers of this process, one in each; `kill` ends it without a word. The worker gets its adapter of
// a module: a function of the options.

const assert = require('node:assert/strict');
const cluster = require('node:cluster');
const path = require('node:path');

const EXEC = path.join(__dirname, 'remote-worker.js');

/** Resolves with exit code and signal. Not once(): what was on its way to it may fail, and that is no matter. */
function ended(worker) {
  return new Promise((resolve) => {
    worker.once('exit', (...how) => resolve(how));
  });
}

class RemoteLink {
  constructor(module, options, host) {
    cluster.setupPrimary({ exec: EXEC, serialization: 'advanced', execArgv: [] });
    this.worker = cluster.fork({ ADAPTER: module });
    this._host = host;
    this._asked = new Map();
    this._last = 0;
    this.worker.on('message', ([verb, ...args]) => this._said(verb, args));
    this.worker.on('error', () => {}); // what was on its way when it was killed
    this.worker.send(['open', options, host.process]);
  }

  async _said(verb, args) {
    if (verb === 'done') this._asked.get(args[0]).resolve(args[1]);
    else if (verb === 'failed') this._asked.get(args[0]).reject(new Error(args[1]));
    else if (verb === 'state') this._host.state(args[0], args[1] && new Error(args[1]));
    else if (verb === 'received' || verb === 'lost') {
      await this._host[verb](args[0]);
      if (this.worker.isConnected()) this.worker.send(['taken', args[1]]);
    } else this._host[verb](...args);
  }

  _ask(verb, ...args) {
    return new Promise((resolve, reject) => {
      this._asked.set(++this._last, { resolve, reject });
      this.worker.send(['ask', this._last, verb, args]);
    });
  }

  publish(first, sends) {
    return this._ask(
      'publish',
      first,
      sends.map(({ head, data }) => ({ head, data: new Uint8Array(data) })),
    );
  }

  read = (...args) => this._ask('read', ...args);
  processes = () => this._ask('processes');
  answer = (...args) => this._ask('answer', ...args);
  admit = (...args) => this._ask('admit', ...args);

  /** It must end by itself when nothing but its link has kept it. */
  async close() {
    if (this.worker.isDead()) return;
    await this._ask('close');
    const over = ended(this.worker);
    this.worker.disconnect();
    const late = setTimeout(() => this.worker.process.kill('SIGABRT'), 5_000);
    assert.deepEqual(await over, [0, null]);
    clearTimeout(late);
  }

  /** Lets go of its worker, with the link as it is. */
  async leave() {
    const over = ended(this.worker);
    this.worker.disconnect();
    return over;
  }

  async kill() {
    const over = ended(this.worker);
    this.worker.process.kill('SIGKILL');
    await over;
  }
}

/**
 * @param {string} module path
 * @param {object} options for what it exports
 */
function remoteAdapter(module, options) {
  const links = [];
  return {
    maxPendingBytes: options.maxPendingBytes ?? 16 << 20,
    open(host) {
      const link = new RemoteLink(module, options, host);
      links.push(link);
      return link;
    },
    leave: () => Promise.all(links.map((link) => link.leave())),
    kill: () => Promise.all(links.map((link) => link.kill())),
  };
}

module.exports = { remoteAdapter };
