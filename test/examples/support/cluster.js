'use strict';

// examples/cluster as a whole, on a Redis of the test, and readers of it that come back as an EventSource does.

const fs = require('node:fs');
const { open } = require('../../js/support/open');
const { when } = require('../../js/support/stage');
const { startRedis } = require('../../redis/support/server');
const { startExample } = require('./example-page');

const AGAIN = 2_000; // ms until a process that has died is started again: its tabs have come back before
const ACCEPTED = { appendonly: 'yes', appendfsync: 'always' }; // what Redis has accepted is on the disk

/** Is any process of this group alive? */
function lives(pid) {
  try {
    process.kill(-pid, 0);
    return true;
  } catch {
    return false;
  }
}

/** A stream that is opened again when it has ended, with the id of its last event. */
class Reader {
  constructor(url) {
    this._url = url;
    this.messages = []; // that came, in order
    this.servers = []; // the process of each connection
    this._isClosed = false;
  }

  static async open(url) {
    const reader = new Reader(url);
    reader._running = reader._run();
    await when(() => reader.servers.length > 0, 'a welcome');
    return reader;
  }

  async _run() {
    for (let lastEventId; !this._isClosed; await new Promise((go) => setTimeout(go, 20))) {
      const headers = lastEventId ? { 'Last-Event-ID': lastEventId } : {};
      try {
        this._stream = await open(this._url, { headers, timeout: 20_000 });
      } catch {
        continue; // nobody there; again
      }
      for await (const event of this._stream) this._take(event);
      lastEventId = this._stream.lastEventId || lastEventId;
    }
  }

  _take({ event, data }) {
    if (event === 'welcome') this.servers.push(JSON.parse(data).process);
    if (event === 'message') this.messages.push(JSON.parse(data));
    if (event === 'fanline:reset') this.messages.push({ text: 'fanline:reset' });
  }

  /** What people said, without ticks. */
  get texts() {
    return this.messages.map(({ text }) => text).filter((text) => text !== null);
  }

  /** Every number of each run of a process, from the first that came on: gaps and repeats would show. */
  get numbers() {
    const runs = new Map();
    for (const { process, since, n } of this.messages) {
      const run = `${process} ${since}`;
      runs.set(run, [...(runs.get(run) ?? []), n]);
    }
    return [...runs.values()];
  }

  async close() {
    this._isClosed = true;
    await this._stream?.close();
    await this._running;
  }
}

class Cluster {
  static async start(env) {
    const cluster = new Cluster();
    cluster.readers = [];
    cluster.redis = await startRedis(ACCEPTED);
    try {
      const REDIS_URL = `redis://127.0.0.1:${cluster.redis.port}`;
      cluster.example = await startExample('cluster', { REDIS_URL, AGAIN: String(AGAIN), ...env });
      await cluster.example.prints(/\n {2}kill -9 .*\n/);
    } catch (err) {
      await cluster.redis.stop();
      throw err;
    }
    cluster.url = cluster.example.url;
    return cluster;
  }

  /** Name → pid, of all that start.js has started, as they are now. */
  get pids() {
    const { out } = this.example;
    const found = [
      ...out.matchAll(/^ {2}(\w+) +pid (\d+)/gm),
      ...out.matchAll(/^(\w+) is back: pid (\d+)/gm),
    ];
    return Object.fromEntries(found.map(([, name, pid]) => [name, Number(pid)]));
  }

  /** The folder of what runs. */
  get dir() {
    return /^ {2}log +(\S+)\/log$/m.exec(this.example.out)[1];
  }

  get log() {
    return fs.readFileSync(`${this.dir}/log`, 'utf8');
  }

  async read() {
    const reader = await Reader.open(`${this.url}/events`);
    this.readers.push(reader);
    return reader;
  }

  /** @returns {Promise<{status: number, process?: string}>} */
  async say(text) {
    const response = await this.post('/messages', { body: new URLSearchParams({ text }) });
    return { status: response.status, ...(await response.json().catch(() => ({}))) };
  }

  post(path, options) {
    return fetch(this.url + path, { method: 'POST', ...options });
  }

  /** The next test finds it as this one did: nobody reads, and whoever has died is back. */
  async recover() {
    for (const reader of this.readers.splice(0)) await reader.close();
    const count = (pattern) => this.example.out.match(pattern)?.length ?? 0;
    await when(() => count(/has ended/g) === count(/is back/g), 'all processes back');
  }

  /** Ends all of it, whatever it does: start.js in order, and if it does not, by force. */
  async close() {
    for (const reader of this.readers) await reader.close();
    const pids = Object.values(this.pids);
    this.example.signal('SIGTERM');
    await Promise.race([this.example.exit, new Promise((late) => setTimeout(late, 5_000).unref())]);
    await this.example.close();
    for (const pid of pids.filter(lives)) process.kill(-pid, 'SIGKILL');
    await this.redis.stop();
  }
}

module.exports = { Cluster, lives };
