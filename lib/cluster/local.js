'use strict';

// A hub of the primary itself: next to the engine, without a socket.

const { idOf, seqOf } = require('../distribution/ids');
const { entryOf, eventsFrom } = require('./frames');

const COUNT = 1_024; // events given at a time
const BYTES = 1 << 20;

class LocalLink {
  /**
   * @param {object} sequencer
   * @param {object} host of the hub
   */
  constructor(sequencer, host) {
    this.process = host.process;
    this.users = new Map();
    this._sequencer = sequencer;
    this._host = host;
    this._cursor = sequencer.last;
    this._isBusy = true; // until it has begun
    this._isClosed = false;
    sequencer.join(this);
    setImmediate(() => {
      if (this._isClosed) return;
      host.started(idOf(this._cursor));
      host.state('ready');
      this._isBusy = false;
      this.wake();
    });
  }

  // ---- as a member ----

  wake() {
    if (this._isBusy || this._isClosed) return;
    this._isBusy = true;
    setImmediate(() => this._follow());
  }

  async _follow() {
    const sequencer = this._sequencer;
    while (!this._isClosed) {
      if (this._cursor < sequencer.letGo) {
        this._cursor = sequencer.letGo;
        await this._host.lost(idOf(this._cursor));
        continue;
      }
      const events = sequencer.after(this._cursor, COUNT, BYTES);
      if (events.length === 0) break;
      const entries = events.map(entryOf);
      this._cursor = seqOf(entries.at(-1).id);
      await this._host.received(entries);
    }
    this._isBusy = false;
  }

  answered(text) {
    setImmediate(() => this._isClosed || this._host.answered(text));
  }

  // ---- as a link ----

  async publish(first, sends) {
    const { seq, count } = this._sequencer.append(this.process, first, eventsFrom(first, sends));
    return Array.from({ length: count }, (_, i) => idOf(seq + i));
  }

  async read(after, count) {
    const seq = seqOf(after);
    const events = this._sequencer.after(seq, count, BYTES);
    return { isWhole: seq >= this._sequencer.letGo, entries: events.map(entryOf) };
  }

  async processes() {
    return this._sequencer.processes();
  }

  async answer(process, text) {
    this._sequencer.answer(process, text);
  }

  async admit(user, clients, limit) {
    return this._sequencer.admit(this, user, clients, limit);
  }

  async close() {
    this._isClosed = true;
    this._sequencer.leave(this, true);
  }
}

module.exports = { LocalLink };
