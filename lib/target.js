'use strict';

// An address: rooms, users and clients, minus exceptions. Immutable; who is meant is decided when it is used.

const errors = require('./errors');
const { Batch } = require('./batch');
const { checkSize, refusal, serialized } = require('./encode');
const { Client } = require('./client');
const { keysFor, posted, postedForLater } = require('./loop');
const { idOf } = require('./history');
const { closeOptions, names, sendOptions } = require('./options');
const { Receipt, Ticket } = require('./receipt');

const NO_FIELDS = Object.freeze({});
const ONE_ROOM = Object.freeze({ rooms: [0], clients: [], exceptRooms: [], exceptClients: [] });
const NOBODY = Object.freeze({ rooms: [], users: [], clients: [], targets: [] });

function merged(parts, more) {
  return { ...parts, ...more };
}

/** Names in both lists once. */
function union(a, b) {
  return b.length === 0 ? a : [...new Set([...a, ...b])];
}

/** What an event that is kept concerns, to be told to the lists of names. */
class Named {
  constructor() {
    this.all = [];
    this._new = null; // list → name → room, of those that have neither members nor history yet
  }

  /** The room of that name, with members or without. One that is new may be named twice, as meant and as excepted. */
  add(list, name) {
    const room = list.find(name) ?? this._newOrEmpty(list, name);
    this.all.push({ list, name, room });
    return room;
  }

  _newOrEmpty(list, name) {
    const before = this._new?.get(list)?.get(name);
    if (before !== undefined) return before;
    const room = list.numbered(name);
    if (room.last > 0) return room;
    this._new ??= new Map();
    if (!this._new.has(list)) this._new.set(list, new Map());
    this._new.get(list).set(name, room);
    return room;
  }
}

/**
 * Adds the numbers of the rooms of these names.
 * @param {object} list the rooms, or the users, of a hub
 * @param {Named|null} named takes in which rooms these are; null: rooms without members do not count
 */
function addNumbers(list, wanted, numbers, named) {
  for (const name of wanted) {
    const room = named === null ? list.find(name) : named.add(list, name);
    if (room !== undefined) numbers.push(room.number);
  }
}

class Target {
  /**
   * @param {object} hub
   * @param {boolean} everyone
   * @param {{rooms: string[], users: string[], clients: string[]}} included by name; ids of clients
   * @param {{rooms: string[], clients: Client[], targets: Target[]}} excepted
   */
  constructor(hub, everyone, included = NOBODY, excepted = NOBODY) {
    this._hub = hub;
    this._everyone = everyone;
    this._included = included;
    this._excepted = excepted;
  }

  to(rooms) {
    const added = union(this._included.rooms, names(rooms, 'rooms'));
    return this._with(merged(this._included, { rooms: added }));
  }

  user(users) {
    const added = union(this._included.users, names(users, 'users'));
    return this._with(merged(this._included, { users: added }));
  }

  except(exceptions) {
    const { rooms, clients, targets } = this._excepted;
    const found = { rooms: [], clients: [], targets: [] };
    const list = Array.isArray(exceptions) ? exceptions : [exceptions];
    for (const [i, exception] of list.entries()) {
      const name = Array.isArray(exceptions) ? `exceptions[${i}]` : 'exceptions';
      const isObject = exception instanceof Client || exception instanceof Target;
      // The numbers of another hub's rooms mean other rooms here.
      if (isObject && exception._hub !== this._hub) {
        throw errors.refusedArg(name, 'it belongs to another hub');
      }
      if (exception instanceof Client) found.clients.push(exception);
      else if (exception instanceof Target) found.targets.push(exception);
      else if (typeof exception === 'string') found.rooms.push(...names(exception, name));
      else
        throw errors.argError(name, 'a room, a client, a Target, or an array of them', exception);
    }
    return new Target(this._hub, this._everyone, this._included, {
      rooms: union(rooms, found.rooms),
      clients: union(clients, found.clients),
      targets: union(targets, found.targets),
    });
  }

  _with(included) {
    return new Target(this._hub, this._everyone, included, this._excepted);
  }

  // ---- sending ----

  send(data, opts) {
    return this._send(data, opts, null);
  }

  deliver(data, opts) {
    const ticket = new Ticket(this._hub);
    this._send(data, opts, ticket);
    return ticket.done;
  }

  batch(opts) {
    return new Batch(this, opts);
  }

  _send(data, opts, ticket) {
    const hub = this._hub;
    const hasHistory = hub._options.history !== null;
    const fields = opts === undefined ? NO_FIELDS : sendOptions(opts, hasHistory);
    if (hub._isClosed) throw errors.closed('hub');
    const text = serialized(hub._options.serialize, data);
    const isKept =
      hasHistory && fields.history !== false && fields.key === undefined && this._hasAudience();
    let receipt;
    if (hub._traffic === null) {
      const seq = isKept ? hub._seq + 1 : 0;
      const matched = this._publish(text, fields, seq, ticket);
      receipt = new Receipt(matched, isKept ? idOf(hub, seq) : fields.id);
    } else receipt = this._dispatch(text, fields, isKept, ticket);
    hub._sends++;
    return receipt;
  }

  /** By way of the adapter. Whom it is for is decided when it comes back. */
  _dispatch(text, fields, isKept, ticket) {
    checkSize(text, fields, this._hub._options.limits.eventBytes);
    const pending = this._hub._traffic.send(this, text, fields, isKept, ticket);
    return new Receipt(this._matched(), undefined, pending);
  }

  /** Is it for rooms, users or everyone? What is for some clients alone is private, and not kept. */
  _hasAudience() {
    return this._everyone || this._included.rooms.length + this._included.users.length > 0;
  }

  /** The room, if that is all that is meant; null. */
  get _onlyRoom() {
    if (this._everyone || this._excepted !== NOBODY) return null;
    const { rooms, users, clients } = this._included;
    return rooms.length === 1 && users.length + clients.length === 0 ? rooms[0] : null;
  }

  /**
   * @param {number} seq its number if it is kept, also for those who come back, and has an id that says so; else 0
   * @returns {number} how many are meant
   */
  _publish(text, fields, seq, ticket) {
    const hub = this._hub;
    const room = this._onlyRoom;
    const number = ticket?.number ?? 0;
    const isPosted =
      room === null
        ? this._postToAll(text, fields, seq, number)
        : this._postToRoom(room, text, fields, seq, number);
    if (!isPosted) {
      checkSize(text, fields, hub._options.limits.eventBytes);
      ticket?.nobody(fields.id);
      return 0;
    }
    const matched = this._matched();
    // With an adapter most of what comes may be for rooms that nobody has here: waking the loop would be all that it costs.
    if (hub._traffic !== null && matched === 0 && !ticket) postedForLater();
    else posted();
    ticket?.posted(seq > 0 ? idOf(hub, seq) : fields.id, matched);
    return matched;
  }

  /** @returns {boolean} false: nobody is there, and nothing is to be kept */
  _postToAll(text, fields, seq, ticket) {
    const hub = this._hub;
    const numbers = this._numbers(seq > 0);
    const nobody = !this._everyone && numbers.rooms.length + numbers.clients.length === 0;
    if (seq === 0 && (nobody || hub._open === 0)) return false;
    hub._start();
    this._writeKeys(numbers);
    this._post(numbers, text, fields, seq, ticket);
    if (seq > 0) this._keep(numbers, seq);
    return true;
  }

  /** The same where one room is all: most sends are so. */
  _postToRoom(name, text, fields, seq, ticket) {
    const hub = this._hub;
    const list = hub._rooms;
    const room = seq > 0 ? list.numbered(name) : list.find(name);
    if (seq === 0 && (room === undefined || hub._open === 0)) return false;
    hub._start();
    keysFor(1)[0] = room.number;
    this._post(ONE_ROOM, text, fields, seq, ticket);
    if (seq > 0) {
      hub._seq = seq;
      list.keep(name, room, seq);
    }
    return true;
  }

  /** @param {object} numbers of which the array of keys has as many as there are in each list */
  _post({ rooms, clients, exceptRooms, exceptClients }, text, fields, seq, ticket) {
    const hub = this._hub;
    const cost = hub._native.publish(
      this._everyone,
      rooms.length,
      clients.length,
      exceptRooms.length,
      exceptClients.length,
      text,
      fields.event,
      fields.id,
      fields.retry,
      fields.key,
      seq,
      ticket,
    );
    if (cost < 0) throw refusal(cost, text, fields, hub._options.limits);
  }

  _keep({ named }, seq) {
    this._hub._seq = seq;
    for (const { list, name, room } of named.all) list.keep(name, room, seq);
  }

  /**
   * The loop's numbers of who is meant at this moment.
   * @param {boolean} isKept also rooms without members, for those who come back
   */
  _numbers(isKept) {
    const hub = this._hub;
    const numbers = { rooms: [], clients: [], exceptRooms: [], exceptClients: [], named: null };
    const named = isKept ? new Named() : null;
    numbers.named = named;
    this._addIncluded(numbers.rooms, numbers.clients, named);
    addNumbers(hub._rooms, this._excepted.rooms, numbers.exceptRooms, named);
    for (const client of this._excepted.clients) numbers.exceptClients.push(client._number);
    for (const target of this._excepted.targets) {
      if (target._isPlain()) {
        target._addIncluded(numbers.exceptRooms, numbers.exceptClients, named);
      } else {
        for (const client of target._members()) numbers.exceptClients.push(client._number);
      }
    }
    return numbers;
  }

  /** Nothing but rooms, users and clients. */
  _isPlain() {
    const { rooms, clients, targets } = this._excepted;
    return !this._everyone && rooms.length + clients.length + targets.length === 0;
  }

  _addIncluded(rooms, clients, named) {
    const hub = this._hub;
    addNumbers(hub._rooms, this._included.rooms, rooms, named);
    addNumbers(hub._users, this._included.users, rooms, named);
    for (const id of this._included.clients) {
      const client = hub.clients.get(id);
      if (client !== undefined) clients.push(client._number);
    }
  }

  _writeKeys({ rooms, clients, exceptRooms, exceptClients }) {
    const lists = [rooms, clients, exceptRooms, exceptClients];
    const keys = keysFor(lists.reduce((sum, list) => sum + list.length, 0));
    let at = 0;
    for (const list of lists) for (const number of list) keys[at++] = number;
  }

  /** O(names), never O(clients): exact without a union and `except`, else an upper bound. */
  _matched() {
    const hub = this._hub;
    if (this._everyone) return hub._open;
    const { rooms, users, clients } = this._included;
    let sum = 0;
    for (const name of rooms) sum += hub._rooms.sizeOf(name);
    for (const name of users) sum += hub._users.sizeOf(name);
    for (const id of clients) if (hub.clients.get(id)?._closing === null) sum++;
    return Math.min(sum, hub._open);
  }

  // ---- those who are meant now ----

  get size() {
    const { rooms, users, clients } = this._included;
    if (
      this._excepted === NOBODY &&
      (this._everyone || rooms.length + users.length + clients.length === 1)
    ) {
      return this._matched();
    }
    return this._members().size;
  }

  clients() {
    return [...this._members()];
  }

  _members() {
    const hub = this._hub;
    const members = new Set();
    const add = (clients) => {
      for (const client of clients ?? []) if (client._closing === null) members.add(client);
    };
    if (this._everyone) add(hub.clients.values());
    for (const name of this._included.rooms) add(hub._rooms.find(name)?.members);
    for (const name of this._included.users) add(hub._users.find(name)?.members);
    add(this._included.clients.map((id) => hub.clients.get(id)).filter(Boolean));
    for (const name of this._excepted.rooms) {
      for (const client of hub._rooms.find(name)?.members ?? []) members.delete(client);
    }
    for (const client of this._excepted.clients) members.delete(client);
    for (const target of this._excepted.targets) {
      for (const client of target._members()) members.delete(client);
    }
    return members;
  }

  join(rooms) {
    const wanted = names(rooms, 'rooms');
    const clients = this.clients();
    for (const client of clients) client._checkJoin(wanted);
    if (this._hub._traffic !== null) this._hub._traffic.tell(this, 'join', wanted);
    else for (const client of clients) client._join(wanted);
  }

  leave(rooms) {
    const unwanted = names(rooms, 'rooms');
    if (this._hub._traffic !== null) this._hub._traffic.tell(this, 'leave', unwanted);
    else for (const client of this.clients()) client._leave(unwanted);
  }

  disconnect(opts) {
    const { event, data, hasData, reconnect } = closeOptions(opts);
    const { limits, serialize } = this._hub._options;
    // Refused even if nobody is meant.
    const text = hasData ? serialized(serialize, data) : '';
    checkSize(text, { event }, limits.eventBytes);
    if (this._hub._traffic !== null) {
      this._hub._traffic.tell(this, 'close', { event, hasData, reconnect }, text);
    } else for (const client of this.clients()) client.close(opts);
  }
}

module.exports = { Target };
