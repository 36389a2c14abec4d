'use strict';

// The engine of node:cluster, in the primary: gives every event its place, and keeps the last of them for whoever is behind or
// comes back. Whoever follows is a member: a hub of a worker (desk.js), or one of the primary itself (local.js).

const errors = require('../errors');
const { PER_MS, nextSeq } = require('../distribution/ids');
const { KIND, frame, placeOf, setPlace, split } = require('./frames');

const OWN_COST = 128; // bytes of an event that is kept, beside its own
const GONE = 1_000; // processes that are gone, of which the last batch is remembered
const SPARE = 4_096; // places at the beginning of the list that may be empty

class Sequencer {
  constructor() {
    this._events = []; // { seq, bytes }
    this._from = 0; // the first of them that is kept
    this._bytes = 0;
    this._maxLen = 1;
    this._maxBytes = 1;
    this.last = nextSeq(0);
    this.letGo = this.last; // the last that is not kept
    this._batches = new Map(); // process → { first, seq, count } of its last one, so that it is known when it is repeated
    this.members = new Set(); // { process, users, wake(), answered(text) }
    this._shared = { key: '', page: null };
  }

  /** So much shall be kept: the most that anybody has asked for. */
  keep(maxLen, maxBytes) {
    this._maxLen = Math.max(this._maxLen, maxLen);
    this._maxBytes = Math.max(this._maxBytes, maxBytes);
  }

  // ---- events ----

  /**
   * @param {string} process whose they are
   * @param {number} first number of the first one
   * @param {Buffer} bytes events; they stay here
   * @returns {{seq: number, count: number}} the places they have got: this one, and the next ones
   */
  append(process, first, bytes) {
    const last = this._batches.get(process);
    if (first === last?.first) return last;
    if (first < last?.first) throw errors.adapter('a batch that was accepted long ago');
    const events = split(bytes);
    const batch = { first, seq: nextSeq(this.last), count: events.length };
    for (const [i, event] of events.entries()) this._push(batch.seq + i, event);
    this._batches.set(process, batch);
    this._trim(events.length);
    for (const member of this.members) member.wake();
    return batch;
  }

  _push(seq, bytes) {
    setPlace(bytes, seq);
    this._events.push({ seq, bytes });
    this._bytes += bytes.length + OWN_COST;
    this.last = seq;
  }

  /** @param {number} fresh events that nobody has been given yet: they stay, however small the limits are */
  _trim(fresh) {
    const most = Math.max(this._maxLen, fresh);
    let from = this._from;
    let count = this._events.length - from;
    while (count > most || (count > fresh && this._bytes > this._maxBytes)) {
      const { seq, bytes } = this._events[from];
      this._events[from++] = undefined;
      this._bytes -= bytes.length + OWN_COST;
      this.letGo = seq;
      count--;
    }
    this._from = from;
    if (from > SPARE && from > count) {
      this._events = this._events.slice(from);
      this._from = 0;
    }
  }

  /** @returns {number} the place behind which all events are that came since then, and are kept */
  placeAt(ms) {
    return Math.max(this.letGo, Math.min(this.last, ms * PER_MS - 1));
  }

  /** @returns {number} where the first event behind that place is in the list */
  _indexAfter(seq) {
    let low = this._from;
    let high = this._events.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this._events[middle].seq > seq) high = middle;
      else low = middle + 1;
    }
    return low;
  }

  /**
   * What is kept behind a place: at most so many events, and bytes unless the first one has more.
   * @returns {Buffer[]} events
   */
  after(seq, count, bytes) {
    const found = [];
    let sum = 0;
    for (let i = this._indexAfter(seq); i < this._events.length && found.length < count; i++) {
      sum += this._events[i].bytes.length;
      if (found.length > 0 && sum > bytes) break;
      found.push(this._events[i].bytes);
    }
    return found;
  }

  /**
   * The same as a frame: those who are at the same place share it.
   * @returns {{frame: Buffer, bytes: number, last: number}|null} `last`: the place of its last event; null: there is nothing
   */
  pageAfter(seq, count, bytes) {
    const key = `${seq} ${bytes} ${this.last}`;
    if (this._shared.key !== key) {
      const events = this.after(seq, count, bytes);
      const size = events.reduce((sum, { length }) => sum + length, 0);
      const [last] = events.slice(-1).map(placeOf);
      const page =
        last === undefined ? null : { frame: frame(KIND.EVENTS, ...events), bytes: size, last };
      this._shared = { key, page };
    }
    return this._shared.page;
  }

  // ---- members ----

  join(member) {
    for (const { process, replaced } of this.members) if (process === member.process) replaced?.();
    this.members.add(member);
  }

  /** @param {boolean} isForGood it has said so */
  leave(member, isForGood) {
    this.members.delete(member);
    if (isForGood) this._batches.delete(member.process);
    // One whose connection was cut may come again, with the batch that it had sent.
    if (this._batches.size <= this.members.size + GONE) return;
    const living = new Set(this.processes());
    const [oldest] = [...this._batches.keys()].filter((process) => !living.has(process));
    this._batches.delete(oldest);
  }

  processes() {
    return [...this.members].map(({ process }) => process);
  }

  answer(process, text) {
    for (const member of this.members) if (member.process === process) member.answered(text);
  }

  /** @returns {boolean} whether all together have at most `limit` clients of that user */
  admit(member, user, clients, limit) {
    if (clients === 0) member.users.delete(user);
    else member.users.set(user, clients);
    let sum = 0;
    for (const { users } of this.members) sum += users.get(user) ?? 0;
    return sum <= limit;
  }
}

/** Those of this process, by prefix. */
const sequencers = new Map();

/** @returns {Sequencer} */
function sequencerOf(prefix) {
  const found = sequencers.get(prefix) ?? new Sequencer();
  sequencers.set(prefix, found);
  return found;
}

module.exports = { Sequencer, sequencerOf };
