'use strict';

// What the processes say they have sent, against what each client got: every accepted event reaches whom it is meant for, once, in
// the order of ids; one that may have been accepted reaches all of them or nobody; one that was refused reaches nobody.

const { seqOf } = require('../../../lib/distribution/ids');
const { isMeant, roomsOf } = require('./events');

const WORDS_MAX = 20;

class Ledger {
  /** @param {number} clients numbers from 0 */
  constructor(clients) {
    this.events = new Map(); // `by:number` → { by, number, in, ex, seq, state, sent }
    this.clients = Array.from({ length: clients }, (_, client) => ({
      client,
      rooms: roomsOf(client),
      seqs: [], // of what it got; they rise
    }));
    this._bySeq = new Map();
    this.deliveries = 0;
    this.slowest = 0; // ms from a send to a receipt
    this.wrong = {
      duplicates: 0, // the same event twice at a client
      doubled: 0, // one send, two events
      disorder: 0, // not in the order of ids, or not in that of its sender
      strays: 0, // not accepted for sure and yet there, not for that client, damaged, given up
      resets: 0,
    };
    this.words = []; // what was wrong first
  }

  _say(what, text) {
    this.wrong[what]++;
    if (this.words.length < WORDS_MAX) this.words.push(`${what}: ${text}`);
  }

  // ---- what the processes say ----

  sent(by, number, to, now) {
    this._event(by, number, to).sent = now;
  }

  _event(by, number, to) {
    const key = `${by}:${number}`;
    let event = this.events.get(key);
    if (event === undefined) {
      event = { by, number, in: to.in, ex: to.ex, seq: 0, state: 'sent', sent: 0 };
      this.events.set(key, event);
    }
    return event;
  }

  accepted(by, number, id) {
    const event = this.events.get(`${by}:${number}`);
    event.state = 'accepted';
    this._place(event, id);
  }

  refused(by, number) {
    this.events.get(`${by}:${number}`).state = 'refused';
  }

  /** It has that id, and no other; and nothing else has it. */
  _place(event, id) {
    const seq = seqOf(id);
    const name = `${event.by}:${event.number}`;
    if (seq <= 0) return this._say('strays', `${name} under the id "${id}"`);
    if (event.seq === 0 && !this._bySeq.has(seq)) {
      event.seq = seq;
      this._bySeq.set(seq, event);
    }
    if (event.seq !== seq) return this._say('doubled', `${name} under ${event.seq} and ${seq}`);
    if (this._bySeq.get(seq) !== event) return this._say('doubled', `two events under ${id}`);
  }

  // ---- what the clients say ----

  received(number, id, { by, number: which, ...to }, now) {
    const client = this.clients[number];
    const event = this._event(by, which, to);
    this._place(event, id);
    const seq = seqOf(id);
    const last = client.seqs.at(-1) ?? 0;
    if (seq > last) client.seqs.push(seq);
    else {
      const what = client.seqs.includes(seq) ? 'duplicates' : 'disorder';
      this._say(what, `client ${number} got ${by}:${which} (${id}) behind ${last}`);
    }
    this.deliveries++;
    if (event.sent > 0) this.slowest = Math.max(this.slowest, now - event.sent);
  }

  reset(number, why) {
    this._say('resets', `client ${number}: ${why}`);
  }

  strange(number, text) {
    this._say('strays', `client ${number}: ${text}`);
  }

  // ---- how that fits ----

  get hasBegun() {
    return this.clients.every(({ seqs }) => seqs.length > 0);
  }

  counts() {
    const counts = { accepted: 0, uncertain: 0, refused: 0 };
    for (const { state } of this.events.values()) counts[state === 'sent' ? 'uncertain' : state]++;
    return counts;
  }

  /** Those that are in the order, by it. */
  _order() {
    return [...this._bySeq.values()].sort((a, b) => a.seq - b.seq);
  }

  /** What lies between what a client has got and is not there: now and for ever, since its cursor is beyond. */
  holes() {
    const order = this._order();
    let holes = 0;
    for (const client of this.clients) holes += this._missing(client, order, client.seqs.at(-1));
    return holes;
  }

  /** What is still to come. */
  outstanding() {
    const order = this._order();
    let missing = 0;
    for (const client of this.clients) missing += this._missing(client, order, Infinity);
    return missing;
  }

  _missing({ rooms, seqs }, order, until) {
    let at = 0;
    let missing = 0;
    for (const event of order) {
      if (event.seq < seqs[0]) continue;
      if (event.seq > until) break;
      while (seqs[at] < event.seq) at++; // of one send that became two
      if (event.seq === seqs[at]) at++;
      else if (isMeant(event, rooms)) missing++;
    }
    return missing;
  }

  /** What no single receipt shows. @returns {number} holes, at the end */
  finish() {
    const order = this._order();
    const last = new Map();
    for (const event of order) {
      const name = `${event.by}:${event.number}`;
      if (event.state === 'refused') this._say('strays', `${name} was refused, and is there`);
      if (event.number < (last.get(event.by) ?? 0))
        this._say('disorder', `${name} behind a later one of its sender`);
      last.set(event.by, event.number);
    }
    let holes = 0;
    for (const client of this.clients) {
      const missing = this._missing(client, order, Infinity);
      holes += missing;
      if (missing > 0) this.words.push(this._story(client, order, missing));
    }
    return holes;
  }

  _story({ client, rooms, seqs }, order, missing) {
    const has = new Set(seqs);
    const lacks = order.filter((event) => {
      return event.seq > seqs[0] && isMeant(event, rooms) && !has.has(event.seq);
    });
    const [first] = lacks;
    const beyond = seqs.at(-1) > first.seq ? 'it has got later ones' : 'nor anything later';
    return `holes: client ${client} lacks ${missing}, first ${first.by}:${first.number} (${first.state}, ${first.seq}), ${beyond}`;
  }
}

module.exports = { Ledger };
