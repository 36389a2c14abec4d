'use strict';

// What a hub must do, said as simply as possible: clients are a list, the history is a list of numbers for each room, and
// each client has the list of pieces that its stream must consist of (see oracle-stream.js).
//
// An address is `{ everyone, rooms, users, clients, except: { rooms, clients, addresses } }`; its clients are the oracle's.

const { eventPiece, markPiece, retryPiece } = require('./oracle-stream');

const CAPACITY_FACTOR = 10; // of `retry`, for a newcomer over clientsPerUser
const EVERYONE = '*';

const roomRing = (name) => `room ${name}`;
const userRing = (name) => `user ${name}`;
const textOf = (data) => (typeof data === 'string' ? data : JSON.stringify(data));

/** One client: what it was told, and what its hub's listeners must have been told of it. */
class Twin {
  constructor(number, { user, rooms }) {
    this.number = number;
    this.user = user;
    this.rooms = new Set(rooms);
    this.everIn = new Set([EVERYONE, ...rooms.map(roomRing)]);
    if (user !== undefined) this.everIn.add(userRing(user));
    this.state = 'open'; // 'closing', 'closed'
    this.reason = null;
    this.pieces = [];
    this.held = null; // what waits behind the snapshot
    this.forgone = []; // of that, what its end has cost it
    this.snapshot = null; // why it is to get one
    this.isReset = false;
    this.isReplayed = false;
    this.catchingUp = null; // number of the last event that it had; null: it has all
    this.mayBeSlow = false; // the history has let go of what it may not have got
    this.log = ['connect', ...[...this.rooms].map((name) => `join ${name}`)];
  }

  get rings() {
    const rings = [EVERYONE, ...[...this.rooms].map(roomRing)];
    return this.user === undefined ? rings : [...rings, userRing(this.user)];
  }

  give(piece) {
    if (this.held !== null) this.held.push(piece);
    else this.pieces.push(piece);
  }

  /** For it alone: nothing holds that back. */
  tell(piece) {
    this.pieces.push(piece);
  }
}

class Oracle {
  /**
   * @param {{epoch: string, history: {events: number}|null, retry: number, clientsPerUser: number,
   *   hasSnapshot: boolean}} how
   */
  constructor({ epoch, history, retry, clientsPerUser, hasSnapshot }) {
    this._epoch = epoch;
    this._history = history;
    this._retry = retry;
    this._clientsPerUser = clientsPerUser;
    this._hasSnapshot = hasSnapshot;
    this._records = new Map(); // number → { seq, piece, except }
    this._rings = new Map(); // name → { seqs, letGo }
    this.seq = 0;
    this.clients = []; // not closed
    this.all = [];
    this.sends = 0;
    this.disconnects = {};
    this.refused = {};
  }

  get open() {
    return this.clients.filter(({ state }) => state === 'open');
  }

  get gated() {
    return this.clients.filter(({ held }) => held !== null);
  }

  idOf(seq) {
    return `${this._epoch}-${seq}`;
  }

  // ---- coming ----

  /**
   * @param {{user?: string, rooms: string[], id?: string, isFenced?: boolean}} request `id`: Last-Event-ID
   * @returns {Twin|{reason: string, status: number, text: string}}
   */
  connect(request) {
    if (request.isFenced) return this._refuse('server', 204, '');
    const own = this.clients.filter(({ user }) => user !== undefined && user === request.user);
    if (own.length >= this._clientsPerUser) {
      return this._refuse('capacity', 200, retryPiece(this._retry * CAPACITY_FACTOR).text);
    }
    const twin = new Twin(this.all.length, request);
    this.clients.push(twin);
    this.all.push(twin);
    twin.tell(retryPiece(this._retry));
    this._begin(twin, request.id);
    return twin;
  }

  _refuse(reason, status, text) {
    this.refused[reason] = (this.refused[reason] ?? 0) + 1;
    return { reason, status, text };
  }

  _begin(twin, id) {
    twin.mark = this._history === null ? null : markPiece(this.idOf(this.seq));
    if (id !== undefined && id !== '' && this._history !== null) this._resume(twin, id);
    else if (this._hasSnapshot) this._gate(twin, 'new');
    else if (twin.mark !== null) twin.tell(twin.mark);
  }

  _resume(twin, id) {
    const { seq, why } = this._read(id);
    const isLost = (ring) => this._letGo(ring) > seq;
    if (seq === undefined || twin.rings.some(isLost)) {
      twin.isReset = true;
      const own = this._hasSnapshot ? undefined : this.idOf(this.seq);
      twin.tell(eventPiece({ id: own, event: 'fanline:reset', text: why }));
      if (this._hasSnapshot) this._gate(twin, 'reset');
      return;
    }
    const missed = this._missed(twin, seq);
    if (missed.length === 0) return; // a member like any other
    twin.isReplayed = true;
    twin.catchingUp = seq;
    for (const record of missed) twin.tell(record.piece);
  }

  /** A cursor, or what is wrong with it. */
  _read(id) {
    const found = /^([a-z][a-z0-9]{7})-(0|[1-9]\d*)$/.exec(id);
    if (found === null) return { why: 'invalid' };
    if (found[1] !== this._epoch) return { why: 'restart' };
    const seq = Number(found[2]);
    return seq > this.seq ? { why: 'invalid' } : { seq, why: 'expired' };
  }

  /** What is filed under its rooms and was not meant to pass it by, each once, in order. */
  _missed(twin, cursor) {
    const seqs = twin.rings.flatMap((ring) => this._rings.get(ring)?.seqs ?? []);
    return [...new Set(seqs)]
      .filter((seq) => seq > cursor)
      .sort((a, b) => a - b)
      .map((seq) => this._records.get(seq))
      .filter(({ except }) => !twin.rings.some((ring) => except.has(ring)));
  }

  _letGo(ring) {
    return this._rings.get(ring)?.letGo ?? 0;
  }

  _gate(twin, why) {
    twin.held = [];
    twin.snapshot = why;
  }

  /** The snapshot is through. */
  ungate(twin) {
    if (twin.state !== 'open') return;
    if (twin.mark !== null) twin.tell(twin.mark);
    twin.pieces.push(...twin.held);
    twin.held = null;
  }

  // ---- sending ----

  includes(address, twin) {
    const { everyone, rooms, users, clients } = address;
    if (twin.state !== 'open' || this._isExcepted(address, twin)) return false;
    const isNamed = rooms.some((name) => twin.rooms.has(name)) || users.includes(twin.user);
    return everyone || isNamed || clients.includes(twin);
  }

  _isExcepted({ except: { rooms, clients, addresses } }, twin) {
    return (
      rooms.some((name) => twin.rooms.has(name)) ||
      clients.includes(twin) ||
      addresses.some((address) => this.includes(address, twin))
    );
  }

  members(address) {
    return this.clients.filter((twin) => this.includes(address, twin));
  }

  sizeOf(room) {
    return this.open.filter((twin) => twin.rooms.has(room)).length;
  }

  /** What a receipt says: each name counts for itself, so that unions and exceptions make it an upper bound. */
  matched({ everyone, rooms, users, clients }) {
    const { open } = this;
    if (everyone) return open.length;
    let sum = open.filter((twin) => clients.includes(twin)).length;
    for (const room of rooms) sum += this.sizeOf(room);
    for (const user of users) sum += open.filter((twin) => twin.user === user).length;
    return Math.min(sum, open.length);
  }

  /** @returns {{matched: number, id: string|undefined, piece: object, receivers: Twin[]}} */
  publish(address, data, { event, id, key, history } = {}) {
    this.sends++;
    const hasAudience = address.everyone || address.rooms.length + address.users.length > 0;
    const isKept = this._history !== null && history !== false && key === undefined && hasAudience;
    const own = isKept ? this.idOf(++this.seq) : id;
    const piece = eventPiece({ id: own, event, text: textOf(data), key });
    const answer = { matched: this.matched(address), id: own, piece };
    answer.receivers = this.members(address);
    for (const twin of answer.receivers) twin.give(piece);
    if (isKept) this._keep(address, piece);
    return answer;
  }

  _keep(address, piece) {
    const { seq } = this;
    const except = address.except.rooms.map(roomRing);
    for (const other of address.except.addresses) {
      if (isPlain(other)) except.push(...ringsOf(other)); // else: those who are meant at this moment
    }
    this._records.set(seq, { seq, piece, except: new Set(except) });
    for (const name of address.everyone ? [EVERYONE] : ringsOf(address)) this._file(name, seq);
  }

  _file(name, seq) {
    if (!this._rings.has(name)) this._rings.set(name, { seqs: [], letGo: 0 });
    const ring = this._rings.get(name);
    ring.seqs.push(seq);
    if (ring.seqs.length <= this._history.events) return;
    ring.letGo = ring.seqs.shift();
    for (const twin of this.clients) {
      if (twin.catchingUp === null || !twin.everIn.has(name)) continue;
      if (ring.letGo > twin.catchingUp) twin.mayBeSlow = true;
    }
  }

  send(twin, data, { event, id, key } = {}) {
    if (twin.state !== 'open') return;
    this.sends++;
    twin.tell(eventPiece({ id, event, text: textOf(data), key }));
  }

  /** Comments and retry lines. */
  tell(twin, piece) {
    if (twin.state === 'open') twin.tell(piece);
  }

  // ---- rooms ----

  join(twin, rooms) {
    if (twin.state !== 'open') return;
    for (const name of rooms) {
      if (twin.rooms.has(name)) continue;
      twin.rooms.add(name);
      twin.everIn.add(roomRing(name));
      twin.log.push(`join ${name}`);
    }
  }

  leave(twin, rooms) {
    if (twin.state !== 'open') return;
    for (const name of rooms) if (twin.rooms.delete(name)) twin.log.push(`leave ${name}`);
  }

  // ---- leaving ----

  /** @param {object|null} last the piece that tells the end */
  close(twin, last, reason = 'server') {
    if (twin.state !== 'open') return;
    if (last !== null) twin.tell(last);
    this._depart(twin, reason);
  }

  _depart(twin, reason) {
    twin.forgone = twin.held ?? [];
    twin.held = null;
    twin.state = 'closing';
    twin.reason = reason;
    for (const name of twin.rooms) twin.log.push(`leave ${name}`);
  }

  /** The hub has told its end. */
  ended(twin, reason) {
    if (twin.state === 'open') this._depart(twin, reason);
    twin.state = 'closed';
    twin.log.push(`close ${twin.reason}`, `disconnect ${twin.reason}`);
    this.clients.splice(this.clients.indexOf(twin), 1);
    this.disconnects[twin.reason] = (this.disconnects[twin.reason] ?? 0) + 1;
  }

  /** Everything that was sent has been read, except by those who do not read. */
  settled(isReading) {
    for (const twin of this.clients) if (isReading(twin)) twin.catchingUp = null;
  }

  /** hub.close(): everybody is told when to come back, then ended. */
  shutDown() {
    for (const twin of this.open) {
      twin.tell(retryPiece(this._retry));
      this.close(twin, null, 'shutdown');
    }
  }
}

/** Rooms, users and clients alone. */
function isPlain({ everyone, except: { rooms, clients, addresses } }) {
  return !everyone && rooms.length + clients.length + addresses.length === 0;
}

function ringsOf({ rooms, users }) {
  return [...rooms.map(roomRing), ...users.map(userRing)];
}

module.exports = { Oracle };
