'use strict';

// Follows the stream on a connection of its own, and tells the hub what comes, what is missing, and whether there is a server.

const errors = require('../errors');
const { seqOf } = require('../distribution/ids');
const { explain } = require('./failure');
const { raise } = require('./script');

const BLOCK = 5_000; // ms; a look at the whole after each
const LATE = 10_000; // ms beyond that without an answer: the connection is dead
const COUNT_MIN = 16; // entries asked for at a time; they may be large
const COUNT_MAX = 1_024;
const PAGE_LEAST = 256 << 10; // bytes: the next page may be twice as long
const PAGE_MOST = 4 << 20; // bytes: it must be shorter
const AGAIN_MIN = 100; // ms; doubles
const AGAIN_MAX = 2_000;
const NOTHING = '0-0';

/** [id, [field, value, …]] as the hub wants it. */
function entryOf([id, fields]) {
  const entry = { id: String(id), previous: NOTHING, number: 0, head: '', data: null };
  for (let i = 0; i < fields.length; i += 2) {
    const value = fields[i + 1];
    switch (String(fields[i])) {
      case 'p':
        entry.previous = String(value);
        break;
      case 'n':
        entry.number = Number(value);
        break;
      case 'h':
        entry.head = String(value);
        break;
      case 'd':
        entry.data = value;
    }
  }
  return entry;
}

/** The entries of XRANGE, or of the one stream of XREAD. */
const entriesOf = (list) => (list ?? []).map(entryOf);

/** What XREAD says, by stream: pairs in RESP2; in RESP3 a map, which each library shows in its own way. */
function streamsOf(reply) {
  if (reply instanceof Map) return [...reply];
  if (!Array.isArray(reply)) return Object.entries(reply);
  if (Array.isArray(reply[0])) return reply;
  const pairs = [];
  for (let i = 0; i < reply.length; i += 2) pairs.push([reply[i], reply[i + 1]]);
  return pairs;
}

class Tail {
  /**
   * @param {() => object} connect a connection of our own (client.js)
   * @param {{stream: string, last: string, answers: string}} keys
   * @param {object} host see docs/adapters.md
   */
  constructor(connect, keys, host) {
    this._connect = connect;
    this._keys = keys;
    this._host = host;
    this._connection = null;
    this._cursor = null; // id of the last entry that came; null: not yet known
    this._answered = NOTHING; // the same of the answers
    this._count = COUNT_MIN;
    this._isFollowing = false;
    this._isClosed = false;
    this._wake = null;
  }

  /** Resolves when closed. */
  async run() {
    for (let delay = AGAIN_MIN; !this._isClosed; delay = Math.min(AGAIN_MAX, delay * 2)) {
      try {
        await this._open();
        await this._begin();
        delay = AGAIN_MIN;
        this._isFollowing = true;
        this._host.state('ready');
        await this._follow();
      } catch (err) {
        if (this._isClosed) return;
        this._drop();
        this._host.state('down', explain(err));
        await this._pause(delay);
      }
    }
  }

  async _open() {
    if (this._connection !== null) return;
    const connection = this._connect();
    this._connection = connection;
    // A library that connects anew by itself tells it by events alone: commands wait meanwhile.
    const isOurs = () => this._connection === connection;
    const down = (err) =>
      isOurs() && this._host.state('down', explain(err ?? new Error('the connection has ended')));
    connection.client.on('error', down).on('close', down);
    connection.client.on('ready', () => isOurs() && this._isFollowing && this._host.state('ready'));
    await this._within(connection.connect(), LATE);
  }

  /** Where the stream stands, and whether that is beyond where we stood. A stream that has never had anything begins now. */
  async _begin() {
    const found = await this._within(this._call(['GET', this._keys.last]), LATE);
    const last = found === null ? NOTHING : String(found);
    if (this._cursor === null) {
      this._cursor = found === null ? await this._raise(NOTHING) : last;
      this._host.started(this._cursor);
    } else if (seqOf(last) < seqOf(this._cursor)) {
      // Somebody has emptied it, or a server has taken over that had not got everything. Ids go on behind where they were.
      this._cursor = await this._raise(this._cursor);
      await this._host.lost(this._cursor);
    }
  }

  /** @returns {Promise<string>} the id behind which the next one will be, not below `id` */
  async _raise(id) {
    return String(await this._within(raise.run(this._connection, [this._keys.last], [id]), LATE));
  }

  async _follow() {
    while (!this._isClosed) {
      const args = ['XREAD', 'COUNT', String(this._count), 'BLOCK', String(BLOCK)];
      const streams = [this._keys.stream, this._keys.answers, this._cursor, this._answered];
      const reply = await this._within(this._call([...args, 'STREAMS', ...streams]), BLOCK + LATE);
      if (reply === null) await this._begin();
      else for (const [name, list] of streamsOf(reply)) await this._tookFrom(String(name), list);
    }
  }

  async _tookFrom(name, list) {
    if (this._isClosed) return; // while the hub took what came before
    if (!name.endsWith(this._keys.answers)) {
      await this._take(entriesOf(list));
      return;
    }
    for (const [id, [, text]] of list) {
      this._answered = String(id);
      this._host.answered(String(text));
    }
  }

  async _take(entries) {
    let from = 0;
    for (const [i, { previous }] of entries.entries()) {
      if (previous === (i === 0 ? this._cursor : entries[i - 1].id)) continue;
      if (i > from) await this._host.received(entries.slice(from, i));
      if (this._isClosed) return;
      from = i;
      // The engine has let go of something before we have read it.
      await this._host.lost(seqOf(previous) > seqOf(this._cursor) ? previous : this._cursor);
    }
    await this._host.received(entries.slice(from));
    this._cursor = entries.at(-1).id;
    this._measure(entries);
  }

  _measure(entries) {
    const bytes = entries.reduce((sum, { head, data }) => sum + head.length + data.length, 0);
    if (bytes > PAGE_MOST) this._count = Math.max(1, this._count >> 1);
    else if (bytes < PAGE_LEAST && entries.length === this._count) {
      this._count = Math.min(COUNT_MAX, this._count * 2);
    }
  }

  _call(args) {
    return this._connection.call(args, this._keys.stream);
  }

  _within(promise, ms) {
    let timer;
    const late = new Promise((_resolve, reject) => {
      timer = setTimeout(() => reject(errors.adapter(`no answer within ${ms} ms`)), ms);
    });
    promise.catch(() => {}); // when it is late, and fails after all
    return Promise.race([promise, late]).finally(() => clearTimeout(timer));
  }

  _pause(ms) {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, ms);
      this._wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }

  _drop() {
    this._isFollowing = false;
    try {
      this._connection?.close();
    } catch {
      // node-redis throws where there is nothing left to close
    }
    this._connection = null;
  }

  close() {
    this._isClosed = true;
    this._drop();
    this._wake?.();
  }
}

module.exports = { NOTHING, Tail, entriesOf };
