'use strict';

// The object that owns clients and rooms. It decides and remembers names; the loop does the work, by number.

const { EventEmitter } = require('node:events');
const { randomBytes } = require('node:crypto');
const connecting = require('./connect');
const errors = require('./errors');
const fetching = require('./fetch');
const { newEpoch } = require('./history');
const { OVERFLOW } = require('./hub-options');
const { clients, counts, listen, native, posted, tell } = require('./loop');
const { merged, pageOf } = require('./distribution/presence');
const { connectOptions, hubCloseOptions, hubOptions, names } = require('./options');
const { presenceOptions } = require('./options');
const { namesOf } = require('./room-names');
const { Rooms, RoomSizes } = require('./rooms');
const { Shutdown } = require('./shutdown');
const { Target } = require('./target');
const { Traffic } = require('./distribution/traffic');

/** By reason, where there were any. What a peer that left did not get was not dropped by us. */
function dropped(reasons, events, bytes) {
  const found = {};
  for (const [i, reason] of reasons.entries()) {
    if (reason !== 'client' && events[i] > 0)
      found[reason] = { events: events[i], bytes: bytes[i] };
  }
  return found;
}

const LAST_WORDS = 1_000; // ms; the loop tells them in its next turn, unless there is no memory
const NOTHING = { rooms: [], users: [], clients: [], targets: [] };

class Hub extends EventEmitter {
  /** @param {object} options checked: see options.hubOptions */
  constructor(options, { hasRooms = true } = {}) {
    super();
    this._options = options;
    this._hasRooms = hasRooms;
    const numbers = { next: 1 };
    this._rooms = new Rooms(numbers);
    this._users = new Rooms(numbers);
    this._perUser = new Map(); // user → clients not yet closed, where limits.clientsPerUser wants to know
    this._open = 0; // clients that take events: all but those whose end has begun
    this._sends = 0;
    this._relays = {};
    this._detached = 0; // clients whose connection Node has let go of
    this._ended = {}; // reason → count
    this._refused = {};
    this._shutdown = null;
    this._isClosed = false;
    this.clients = new Map();
    this.rooms = new RoomSizes(this._rooms);
    this._epoch = newEpoch();
    this._seq = 0; // of the last event that is kept
    this._tickets = new Set(); // of events whose fate is not known yet
    this._lastWords = 0; // clients that are gone, of which the loop has still something to tell
    this._over = null; // called once a closed hub has been told everything
    this._patience = null;
    this._native = new native.Hub(this._nativeOptions());
    if (options.history !== null) listen(this);
    this._isStarted = false;
    this._everyone = new Target(this, true);
    this._traffic = options.adapter === null ? null : new Traffic(this, options.adapter);
  }

  _nativeOptions() {
    const { batchDelay, heartbeat, history, limits, overflow } = this._options;
    return {
      ...limits,
      batchDelay,
      overflow: OVERFLOW.indexOf(overflow),
      heartbeat: heartbeat?.interval ?? 0,
      heartbeatEvent: heartbeat?.event ?? null,
      historyEvents: history?.events ?? 0,
      historyBytes: history?.bytes ?? 0,
      historyAge: history?.maxAge ?? 0,
      epoch: this._epoch,
      keySeed: randomBytes(6).readUIntBE(0, 6),
    };
  }

  get size() {
    return this.clients.size;
  }

  connect(req, res, opts) {
    return connecting.connect(this, req, res, connectOptions(opts));
  }

  handler(decide, opened) {
    return connecting.handler(this, decide, opened);
  }

  response(request, decide, opened) {
    return fetching.response(this, request, decide, opened);
  }

  // ---- addresses ----

  to(rooms) {
    return new Target(this, false, { ...NOTHING, rooms: names(rooms, 'rooms') });
  }

  user(users) {
    return new Target(this, false, { ...NOTHING, users: names(users, 'users') });
  }

  client(ids) {
    return new Target(this, false, { ...NOTHING, clients: names(ids, 'ids') });
  }

  except(exceptions) {
    return this._everyone.except(exceptions);
  }

  async presence(opts) {
    const { room, user, limit, after } = presenceOptions(opts);
    let target = this._everyone;
    if (room !== undefined) target = this.to(room);
    else if (user !== undefined) target = this.user(user);
    if (this._isClosed) throw errors.closed('hub');
    if (this._traffic !== null) return this._traffic.presence(target, { limit, after });
    return merged([pageOf(target._members(), { limit, after })], limit);
  }

  broadcast(data, opts) {
    return this._everyone.send(data, opts);
  }

  /** For those who read addresses that have travelled. */
  _makeTarget(hub, everyone, included, excepted) {
    return new Target(hub, everyone, included, excepted);
  }

  // ---- what is and what was ----

  stats() {
    const now = this._native.stats();
    const byReason = (list) =>
      Object.fromEntries(native.reasons.map((reason, i) => [reason, list[i]]));
    return {
      clients: this.clients.size,
      rooms: this._rooms.size,
      users: this._users.size,
      events: this._sends,
      deliveries: now.deliveries,
      heartbeats: now.heartbeats,
      writes: now.writes,
      blockedWrites: now.blocked,
      bytesWritten: now.written_bytes,
      framesWritten: now.written_frames,
      bufferedBytes: now.live_bytes,
      inboxBytes: now.inbox_bytes,
      peakBytes: now.peak_bytes,
      encodes: now.encodes,
      crossings: now.crossings,
      flushes: counts.flushes,
      callbacks: counts.callbacks,
      notices: counts.notices,
      wakeups: now.wakeups,
      replays: now.replays,
      eventsReplayed: now.replayed,
      resets: now.resets,
      historyEvents: now.kept_events,
      historyBytes: now.kept_bytes,
      relay: { ...this._relays },
      detached: this._detached,
      drops: {
        ...dropped(native.reasons, now.dropped_events, now.dropped_bytes),
        ...dropped(native.drops, now.shed_events, now.shed_bytes),
      },
      disconnects: { ...byReason(native.reasons.map(() => 0)), ...this._ended },
      refused: { ...this._refused },
    };
  }

  // ---- the end ----

  close(opts) {
    const grace = hubCloseOptions(opts);
    if (this._shutdown === null) {
      this._shutdown = new Shutdown(this);
      this._shutdown.begin(grace);
    }
    return this._shutdown.done;
  }

  /**
   * All clients are gone. What the loop has still to tell of them comes first: drops, and what became of events.
   * @param {() => void} over nothing more comes
   */
  async _end(over) {
    await this._traffic?.close(LAST_WORDS);
    this._isClosed = true;
    this._over = over;
    this._patience = setTimeout(() => this._shut(), LAST_WORDS);
    this._heard();
  }

  /** The loop has told something that somebody may wait for at the end. */
  _heard() {
    if (this._over !== null && this._lastWords + this._tickets.size === 0) this._shut();
  }

  _shut() {
    const over = this._over;
    this._over = null;
    clearTimeout(this._patience);
    for (const ticket of this._tickets) ticket.hubEnded();
    if (this._lastWords > 0) this._giveUp();
    this._native.shut();
    posted();
    over();
  }

  /** Nobody waits for the last words any more: nothing may hold these clients. */
  _giveUp() {
    for (const [number, { _hub }] of clients) if (_hub === this) clients.delete(number);
  }

  /** The loop has nothing of that room any more. */
  _forgetRoom(number, last) {
    if (!this._rooms.forget(number, last)) this._users.forget(number, last);
  }

  /** The hub runs on the loop from here on. @throws {Error} `ERR_FAN_FULL` */
  _start() {
    if (this._isStarted) return;
    if (!this._native.open()) throw errors.full('the system has no thread or descriptor left');
    this._isStarted = true;
  }

  // ---- for clients ----

  /** A client is there: its names are taken in. */
  _admit(client) {
    this.clients.set(client.id, client);
    this._open++;
    if (client.user === undefined) return;
    this._countUser(client.user, 1);
    this._native.join(client._number, this._users.add(client.user, client));
    this._traffic?.entered(client);
  }

  /** Its end has begun: nobody reaches it any more. */
  _depart(client) {
    this._open--;
    this._traffic?.recoveries.forget(client);
    for (const name of namesOf(client._rooms)) this._rooms.remove(name, client);
    if (client.user !== undefined) this._users.remove(client.user, client);
  }

  _tellDeparture(client) {
    for (const name of namesOf(client._rooms)) {
      if (!client._untold?.has(name)) tell(this, 'leave', client, name);
    }
  }

  _remove(client) {
    this.clients.delete(client.id);
    if (client.user === undefined) return;
    this._countUser(client.user, -1);
    this._traffic?.left(client);
  }

  _forget(client) {
    this._remove(client);
    this._ended[client.closed] = (this._ended[client.closed] ?? 0) + 1;
  }

  _countUser(user, change) {
    if (this._options.limits.clientsPerUser === Infinity) return;
    const count = (this._perUser.get(user) ?? 0) + change;
    if (count > 0) this._perUser.set(user, count);
    else this._perUser.delete(user);
  }

  _tellEnd(client, cause) {
    if (cause === undefined) tell(this, 'disconnect', client, client.closed);
    else tell(this, 'disconnect', client, client.closed, cause);
    this._shutdown?.left(client);
  }

  _countRelay(cause) {
    this._relays[cause] = (this._relays[cause] ?? 0) + 1;
  }

  _countRefused(reason) {
    this._refused[reason] = (this._refused[reason] ?? 0) + 1;
  }

  [Symbol.for('nodejs.util.inspect.custom')](_depth, options, inspect) {
    const { rooms, size } = this;
    return `Hub ${inspect({ size, rooms, closed: this._isClosed }, options)}`;
  }
}

/**
 * Makes a hub. See types/index.d.ts for the options.
 * @throws {TypeError|RangeError} `ERR_FAN_OPTION`
 */
function createHub(options) {
  return new Hub(hubOptions(options));
}

module.exports = { Hub, createHub };
