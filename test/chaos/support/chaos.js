'use strict';

// Redis and the processes on it are killed and started again while events cross. What each client gets is judged by ledger.js.

const fs = require('node:fs');
const path = require('node:path');
const { once } = require('node:events');
const { setTimeout: delay } = require('node:timers/promises');
const { startRedis } = require('../../redis/support/server');
const { Random } = require('../../js/support/random');
const { Balancer } = require('./balancer');
const { Children } = require('./children');
const { Ledger } = require('./ledger');
const { plan } = require('./plan');

const SERVER = path.join(__dirname, 'server.js');
const PACKAGES = path.join(__dirname, '..', '..', 'redis', 'node_modules');
const READER = path.join(__dirname, 'readers.js');
const LIBRARIES = ['ioredis', 'redis', 'ioredis5', 'redis5'];
const READERS = ['eventsource', 'eventsource5', 'fanline/client'];
const NAMES = ['A', 'B', 'C'];
const EVENTS = 1_000_000; // that the stream keeps: whoever is reset was reset by mistake
const REDIS = {
  appendonly: 'yes',
  appendfsync: 'always',
  'auto-aof-rewrite-min-size': '8mb', // so that some kills hit a rewrite
};

const UP = 20_000; // ms for a process to listen
const BEGUN = 30_000; // ms until every client has got something
const SERVED = 20_000; // ms that a kill waits until there is something to kill
const SETTLED = 60_000; // ms until every client has got everything
const BURST = 20; // ms that a burst takes, about
const REST = 500; // ms; whatever comes twice has come
const PROGRESS = 10_000; // ms

/** @returns {string|null} what there must be */
function missing() {
  const isThere = (dir) => fs.existsSync(path.join(dir, 'redis-server'));
  if (!process.env.PATH.split(path.delimiter).some(isThere)) return 'redis-server';
  return fs.existsSync(PACKAGES) ? null : 'the packages of test/redis';
}

class Chaos {
  /**
   * @param {object} options
   * @param {number} options.seed
   * @param {number} options.ms how long it rages
   * @param {number} options.clients
   * @param {number} options.perSecond events of each process
   * @param {number} options.cutsPerSecond of connections
   * @param {{redis: number, each: number}} options.kills of Redis, and of each process
   * @param {(counts: object) => void} [options.progress] every 10 s
   * @param {(text: string) => void} [options.note] what happens
   */
  constructor({ seed, progress = () => {}, note = () => {}, ...options }) {
    this._options = options;
    this._progress = progress;
    this._note = note;
    this._random = new Random(seed);
    this._ledger = new Ledger(options.clients);
    this._balancer = new Balancer(this._random.fork());
    this._children = new Children();
    this._processes = new Map(); // name → child
    this._lives = 0;
    this._isPublishing = false;
    this._failures = []; // of what is needed for the test itself
    this._stopped = new Set(); // children that have nothing on its way any more
    this._served = new Set(); // who has had something accepted since it was killed
    this._kills = { redis: 0, A: 0, B: 0, C: 0 };
    this._opens = 0;
    this._longest = { accepting: 0, away: 0 };
    this._lastAccepted = 0;
  }

  /** @returns {Promise<object>} counts(), at the end */
  async run() {
    try {
      this._redis = await startRedis(REDIS);
      await this._run();
    } finally {
      await this.close();
    }
    return this.counts({ isOver: true });
  }

  async _run() {
    const url = await this._balancer.listen();
    await Promise.all(NAMES.map((name) => this._start(name)));
    this._publish();
    this._startReaders(url);
    await this._until(() => this._ledger.hasBegun, BEGUN);
    this._balancer.cut(this._options.cutsPerSecond);
    const timer = setInterval(() => this._progress(this.counts()), PROGRESS);
    try {
      await this._rage();
      this._isPublishing = false;
      this._balancer.stopCutting();
      await this._settle();
    } finally {
      clearInterval(timer);
    }
  }

  /** Nobody is in need of anything any more. */
  async _settle() {
    const processes = [...this._processes.values()];
    for (const child of processes) child.tell(['stop']);
    await this._until(() => processes.every((child) => this._stopped.has(child)), SETTLED);
    if (!processes.every((child) => this._stopped.has(child)))
      this._failures.push('a send was neither accepted nor refused');
    await this._until(() => this._ledger.outstanding() === 0, SETTLED);
    await delay(REST);
  }

  /** Or until it is too late: then the counts say so. */
  async _until(isSo, ms) {
    const limit = Date.now() + ms;
    while (!isSo() && Date.now() < limit && this._failures.length === 0) await delay(50);
  }

  /** Ends everything that was started. */
  async close() {
    if (this._failures.length === 0 && this._isPublishing) this._failures.push('ended before time');
    this._balancer.close();
    await this._children.close();
    await this._redis?.stop();
  }

  // ---- processes ----

  /** The next life of a process, on whatever library and history comes next. */
  async _start(name) {
    const life = ++this._lives;
    const child = this._children.fork(SERVER, {
      by: `${name}${life}`,
      seed: this._random.below(2 ** 32),
      redisPort: this._redis.port,
      library: LIBRARIES[life % LIBRARIES.length],
      hasExpress: this._random.chance(0.5),
      maxLen: EVENTS,
      maxPendingBytes: this._random.pick([64 << 10, 16 << 20]),
      // With a short one nearly everybody who comes back is served by Redis, with a long one by the process.
      history: { events: this._random.pick([20, 10_000]), bytes: 64 << 20, maxAge: 3_600_000 },
    });
    this._processes.set(name, child);
    child.on('message', (message) => this._heard(child, message));
    this._watch(name, child);
    const port = await this._portOf(child);
    if (port === null) {
      this._failures.push(`${name} does not listen: ${child.said}`);
      return;
    }
    this._balancer.add(name, port);
    if (this._isPublishing) this._publishOn(child);
  }

  _watch(name, child) {
    child.on('exit', (code, signal) => {
      if (!child.isWanted) this._failures.push(`${name} ended: ${signal ?? code}\n${child.said}`);
    });
  }

  async _portOf(child) {
    let timer;
    const port = await new Promise((resolve) => {
      child.on('message', ([what, , port]) => what === 'up' && resolve(port));
      child.on('exit', () => resolve(null));
      timer = setTimeout(resolve, UP, null);
    });
    clearTimeout(timer);
    return port;
  }

  _publish() {
    this._isPublishing = true;
    for (const child of this._processes.values()) this._publishOn(child);
  }

  _publishOn(child) {
    child.tell(['begin', { perSecond: this._options.perSecond }]);
  }

  _heard(child, [what, by, ...rest]) {
    if (what === 'sent') this._ledger.sent(by, ...rest);
    else if (what === 'accepted') this._accepted(by, ...rest);
    else if (what === 'refused') this._ledger.refused(by, ...rest);
    else if (what === 'stopped') this._stopped.add(child);
    else if (what === 'adapter') this._note([by, ...rest].join(' '));
  }

  _accepted(by, number, id) {
    this._ledger.accepted(by, number, id);
    this._served.add('redis').add(by[0]);
    const now = Date.now();
    const gap = this._lastAccepted === 0 ? 0 : now - this._lastAccepted;
    this._longest.accepting = Math.max(this._longest.accepting, gap);
    this._lastAccepted = now;
  }

  // ---- clients ----

  _startReaders(url) {
    const all = Array.from({ length: this._options.clients }, (_, client) => client);
    for (const [i, library] of READERS.entries()) {
      const clients = all.filter((client) => Math.floor(client / 3) % READERS.length === i);
      const child = this._children.fork(READER, { library, url, clients });
      child.on('message', (news) => this._took(news));
      this._watch('readers', child);
    }
  }

  _took(news) {
    for (const [what, client, ...rest] of news) {
      if (what === 'event') this._ledger.received(client, ...rest);
      else if (what === 'open') this._opened(...rest);
      else if (what === 'reset') this._ledger.reset(client, ...rest);
      else this._ledger.strange(client, ...rest);
    }
  }

  _opened(away) {
    this._opens++;
    if (this._isPublishing) this._longest.away = Math.max(this._longest.away, away);
  }

  // ---- kills ----

  async _rage() {
    const { ms, kills } = this._options;
    const since = Date.now();
    const last = new Map(); // what → its last kill
    for (const kill of plan(this._random.fork(), ms, NAMES, kills)) {
      await delay(Math.max(0, since + kill.at - Date.now()));
      if (this._failures.length > 0) break;
      const before = last.get(kill.what) ?? Promise.resolve();
      const done = before.then(() => this._kill(kill));
      done.catch((err) => this._failures.push(err.stack));
      last.set(kill.what, done);
    }
    await Promise.allSettled(last.values());
    await delay(Math.max(0, since + ms - Date.now()));
  }

  /** It has been of use since it was killed last: on a machine that is busy that takes its time. */
  async _kill({ what, downMs }) {
    await this._until(() => this._served.has(what), SERVED);
    if (this._failures.length > 0) return;
    this._note(`${what}: killed for ${downMs} ms`);
    await this._burst();
    if (what === 'redis') await this._killRedis(downMs);
    else await this._killProcess(what, downMs);
    this._kills[what]++;
    this._served.delete(what);
  }

  /** Resolves at some moment of it. */
  async _burst() {
    const child = this._processes.get(this._random.pick(NAMES));
    child.tell(['burst']);
    await delay(this._random.below(BURST));
  }

  async _killRedis(downMs) {
    await this._redis.kill('SIGKILL');
    await delay(downMs);
    await this._redis.restart();
  }

  async _killProcess(name, downMs) {
    const child = this._processes.get(name);
    if (!child.connected) return; // it has ended by itself
    child.isWanted = true;
    const over = once(child, 'exit');
    this._balancer.remove(name);
    child.kill('SIGKILL');
    await over;
    await delay(downMs);
    await this._start(name);
  }

  // ---- what came of it ----

  /** @param {{isOver?: boolean}} [how] then what never came is missing, too */
  counts({ isOver = false } = {}) {
    const ledger = this._ledger;
    const { connections, moved, cuts } = this._balancer;
    const holes = isOver ? ledger.finish() : ledger.holes();
    const wrong = { ...ledger.wrong, holes };
    const failures = [...this._failures];
    if (!ledger.hasBegun) failures.push('some clients never got anything');
    return {
      kills: { ...this._kills },
      connections,
      reconnects: Math.max(0, this._opens - this._options.clients),
      moved,
      cuts,
      events: ledger.counts(),
      deliveries: ledger.deliveries,
      wrong,
      longest: { ...this._longest, delivery: ledger.slowest },
      isRight: failures.length === 0 && Object.values(wrong).every((count) => count === 0),
      words: [...failures, ...ledger.words],
    };
  }
}

module.exports = { Chaos, missing };
