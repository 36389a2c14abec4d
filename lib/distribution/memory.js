'use strict';

// The smallest adapter there can be: several hubs of one process, in the order of an array. For tests of applications that
// run on several processes elsewhere, and to read before writing an adapter.

const errors = require('../errors');
const { idOf, nextSeq, seqOf } = require('./ids');

const MAX_PENDING_BYTES = 16 << 20;

class MemoryEngine {
  /** @param {{maxLen?: number}} [options] how many events are kept */
  constructor({ maxLen = 10_000 } = {}) {
    this._maxLen = maxLen;
    this._entries = []; // { id, seq, number, head, data }
    this._last = nextSeq(0);
    this._letGo = this._last; // the last that is not here
    this._links = new Set();
    this._batches = new Map(); // process → { first, ids } of its last one, so that it is known when it is repeated
  }

  /** A value for the `adapter` option. */
  adapter() {
    return { maxPendingBytes: MAX_PENDING_BYTES, open: (host) => new MemoryLink(this, host) };
  }

  append(process, first, sends) {
    const last = this._batches.get(process);
    if (first === last?.first) return last.ids;
    if (first < last?.first) throw errors.adapter('a batch that was accepted long ago');
    const ids = sends.map((send, i) => this._push(first + i, send));
    this._batches.set(process, { first, ids });
    for (const link of this._links) link.wake();
    return ids;
  }

  _push(number, { head, data }) {
    this._last = nextSeq(this._last);
    const id = idOf(this._last);
    this._entries.push({ id, seq: this._last, number, head, data });
    if (this._entries.length > this._maxLen) this._letGo = this._entries.shift().seq;
    return id;
  }

  after(seq, count) {
    const from = this._entries.findIndex((entry) => entry.seq > seq);
    return {
      isWhole: seq >= this._letGo,
      entries: from < 0 ? [] : this._entries.slice(from, from + count),
    };
  }
}

class MemoryLink {
  constructor(engine, host) {
    this._engine = engine;
    this._host = host;
    this._users = new Map(); // user → clients of this hub
    this._isBusy = false;
    this._isClosed = false;
    this._cursor = engine._last;
    engine._links.add(this);
    setImmediate(() => {
      if (this._isClosed) return;
      host.started(idOf(this._cursor));
      host.state('ready');
      this.wake();
    });
  }

  async publish(first, sends) {
    return this._engine.append(this._host.process, first, sends);
  }

  async read(after, count) {
    return this._engine.after(seqOf(after), count);
  }

  /** Gives the hub what has come, in a turn of its own. */
  wake() {
    if (this._isBusy || this._isClosed) return;
    this._isBusy = true;
    setImmediate(async () => {
      for (let page; !this._isClosed; ) {
        page = this._engine.after(this._cursor, 256);
        if (!page.isWhole) {
          this._cursor = this._engine._letGo;
          this._host.lost(idOf(this._cursor));
          continue;
        }
        if (page.entries.length === 0) break;
        await this._host.received(page.entries);
        this._cursor = page.entries.at(-1).seq;
      }
      this._isBusy = false;
    });
  }

  async processes() {
    return [...this._engine._links].map((link) => link._host.process);
  }

  async answer(process, text) {
    for (const { _host } of this._engine._links)
      if (_host.process === process) _host.answered(text);
  }

  async admit(user, clients, limit) {
    this._users.set(user, clients);
    if (clients === 0) this._users.delete(user);
    let sum = 0;
    for (const { _users } of this._engine._links) sum += _users.get(user) ?? 0;
    return sum <= limit;
  }

  async close() {
    this._isClosed = true;
    this._engine._links.delete(this);
    this._engine._batches.delete(this._host.process);
  }
}

module.exports = { MemoryEngine };
