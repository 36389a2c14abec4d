'use strict';

// Clients that come back with a cursor which the history of this process can't serve: from before it began, or from another
// process that is further than this one. What they missed is read from the engine, page by page, as their sockets take it;
// where the history of this process begins they go on with that (fan_hub_resume).

const { setTimeout: delay } = require('node:timers/promises');
const { isTold } = require('../history');
const { native, posted } = require('../loop');
const { headOf, isMeant } = require('./address');
const { idOf, seqOf } = require('./ids');
const { Paging } = require('./paging');

const PAGE_BYTES = 512 << 10; // each of them holds one, as long as its socket needs
const AGAIN = 500; // ms; the engine did not answer
const BUSY = 20; // ms; the hub had no room
const PASSED = 1_024; // rooms and users of which is known up to where they were passed over
const SPARE = 64; // rooms that were left, and of which is still known when they were joined
const { FULL } = native.errors;
const NEVER = 0; // a cursor from before anything: no history reaches so far
const TELL = 0; // enum fan_otherwise
const TELL_AND_GATE = 1;
const PAUSE = 2;

const keysOf = (everyone, rooms, users) => [
  ...(everyone ? ['everyone'] : []),
  ...Array.from(rooms, (name) => `room ${name}`),
  ...users.map((name) => `user ${name}`),
];

class Recoveries {
  constructor(traffic, hub) {
    this._traffic = traffic;
    this._hub = hub;
    this._cursors = new WeakMap(); // client → { seq, why, joined: Map room → seq, paging, waits: one of _waiting }
    this._passed = new Map(); // address of one room, user or everyone → the last number that is not in the history of this process
    this._floor = 0; // the same for all others
    this._waiting = new Set(); // { seq, go }: for the tail to come that far
  }

  /** It has everything up to `seq`. @param {string} why what it is told if that is of no use */
  begin(client, seq, why) {
    const paging = new Paging(PAGE_BYTES);
    this._cursors.set(client, { seq, why, joined: new Map(), paging, waits: null });
    this._resume(client, this._isHere(client, seq) ? seq : NEVER, why, PAUSE);
  }

  /** Events with that address were for nobody here, and are not in the history. */
  passed({ a, r = [], u = [] }, seq) {
    for (const key of keysOf(a === 1, r, u)) {
      this._passed.delete(key); // the oldest are the first
      this._passed.set(key, seq);
    }
    while (this._passed.size > PASSED) {
      const [key, last] = this._passed.entries().next().value;
      this._passed.delete(key);
      this._floor = Math.max(this._floor, last);
    }
  }

  /** Does the history of this process have all that there was behind `seq` for that client, if it reaches so far? */
  _isHere({ rooms, user }, seq) {
    if (seq < this._floor) return false;
    if (this._passed.size === 0) return true;
    const keys = keysOf(true, rooms, user === undefined ? [] : [user]);
    return keys.every((key) => !(this._passed.get(key) > seq));
  }

  has(client) {
    return this._cursors.has(client);
  }

  /** What was sent to that room before is not its own, whatever its cursor says. */
  joined(client, room) {
    const joined = this._cursors.get(client)?.joined;
    if (joined === undefined) return;
    joined.set(room, this._traffic.tail);
    if (joined.size <= 2 * client.rooms.size + SPARE) return;
    for (const name of joined.keys()) if (!client.rooms.has(name)) joined.delete(name);
  }

  /** Its end has begun, or it has been told that it goes on from here: whoever reads for it stops. */
  forget(client) {
    const cursor = this._cursors.get(client);
    if (cursor === undefined) return;
    this._cursors.delete(client);
    if (this._waiting.delete(cursor.waits)) cursor.waits.go();
  }

  _isOver(client, cursor) {
    return this._cursors.get(client) !== cursor;
  }

  /** The loop says: the history of this process can't help it, or not any further. */
  async paused(client) {
    const cursor = this._cursors.get(client);
    try {
      do await this.reached(cursor.seq, cursor);
      while (!this._isOver(client, cursor) && !(await this._catchUp(client, cursor)));
    } catch {
      this.reset(client, cursor.why); // an event that this hub can't send: it would come back to the same one
    }
  }

  /** @returns {Promise<boolean>} the loop has been asked again, or has been told that nothing helps; or it is over */
  async _catchUp(client, cursor) {
    let page;
    try {
      page = await this._traffic.read(idOf(cursor.seq), cursor.paging.count);
    } catch {
      await delay(AGAIN); // the hub's `adapter` event tells why; the client keeps its heartbeats
      return false;
    }
    if (this._isOver(client, cursor)) return true;
    const isFull = page.entries.length === cursor.paging.count;
    cursor.paging.measure(page.entries);
    if (!page.isWhole) {
      this.reset(client, cursor.why);
      return true;
    }
    for (const entry of page.entries) {
      const seq = seqOf(entry.id);
      if (seq > this._traffic.tail) break; // it comes by the tail
      if (!client._hasRoom()) await client.drain();
      if (this._isOver(client, cursor)) return true;
      while (!this._give(client, cursor, entry, seq)) {
        await delay(BUSY);
        if (this._isOver(client, cursor)) return true;
      }
      cursor.seq = seq;
    }
    if (isFull && cursor.seq < this._traffic.tail) return false;
    this._resume(client, cursor.seq, cursor.why, PAUSE);
    return true;
  }

  /** @returns {boolean} false: the hub has no room now */
  _give(client, { joined }, entry, seq) {
    const head = headOf(entry);
    if (head === null || head.h !== 1 || head.v !== undefined) return true;
    const isIn = (room) => client.rooms.has(room) && !(joined.get(room) >= seq);
    if (!isMeant(head.t, { user: client.user, isIn })) return true;
    const { e: event, r: retry } = head;
    const cost = this._hub._native.replayed(
      client._number,
      entry.data,
      event,
      entry.id,
      retry,
      undefined,
      seq,
    );
    if (cost === FULL) return false;
    client._account(cost, entry.data, undefined);
    return true;
  }

  _resume(client, seq, why, otherwise, newId) {
    const native = this._hub._native;
    native.resume(client._number, seq, why, 'fanline:reset', newId, otherwise);
    posted();
  }

  /** What it missed is gone: it is told so, and goes on from here. */
  reset(client, why) {
    if (client._closing !== null) return;
    if (isTold(client)) {
      client._beginClose('error'); // its snapshot may lack what is gone; it comes back for another one
      return;
    }
    const { history, snapshot } = this._hub._options;
    this.forget(client);
    client._begun = this._hub._seq;
    const newId = snapshot === null && history !== null ? idOf(client._begun) : undefined;
    this._resume(client, -1, why, snapshot === null ? TELL : TELL_AND_GATE, newId);
  }

  // ---- the tail ----

  /** Resolves when everything up to there has come. @param {object} [cursor] of a client that may be forgotten before */
  reached(seq, cursor) {
    const { tail } = this._traffic;
    if (tail > 0 && tail >= seq) return Promise.resolve();
    return new Promise((go) => {
      const one = { seq, go };
      this._waiting.add(one);
      if (cursor !== undefined) cursor.waits = one;
    });
  }

  /** The tail has moved. */
  moved() {
    const { tail } = this._traffic;
    for (const one of this._waiting) {
      if (tail < one.seq) continue;
      this._waiting.delete(one);
      one.go();
    }
  }
}

module.exports = { Recoveries };
