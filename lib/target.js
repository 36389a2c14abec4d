'use strict';

// An address: rooms, users and clients, minus exceptions. Immutable; who is meant is decided when it is used.

const errors = require('./errors');
const { Batch } = require('./batch');
const { checkSize, refusal, serialized } = require('./encode');
const { Client } = require('./client');
const { keysFor, posted } = require('./loop');
const { closeOptions, names, sendOptions } = require('./options');

const NOBODY = Object.freeze({ rooms: [], users: [], clients: [], targets: [] });

function merged(parts, more) {
  return { ...parts, ...more };
}

/** Names in both lists once. */
function union(a, b) {
  return b.length === 0 ? a : [...new Set([...a, ...b])];
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
    const hub = this._hub;
    const fields = opts === undefined ? undefined : sendOptions(opts);
    if (hub._isClosed) throw errors.closed('hub');
    const text = serialized(hub._options.serialize, data);
    return this._publish(text, fields);
  }

  batch(opts) {
    return new Batch(this, opts);
  }

  _publish(text, opts) {
    const hub = this._hub;
    const numbers = this._numbers();
    const nobody = !this._everyone && numbers.rooms.length + numbers.clients.length === 0;
    if (nobody || hub._open === 0) {
      // Also: before its first client a hub has no loop.
      checkSize(text, opts, hub._options.limits.eventBytes);
      hub._sends++;
      return { matched: 0 };
    }
    this._writeKeys(numbers);
    const { rooms, clients, exceptRooms, exceptClients } = numbers;
    const cost = hub._native.publish(
      this._everyone,
      rooms.length,
      clients.length,
      exceptRooms.length,
      exceptClients.length,
      text,
      opts?.event,
      opts?.id === undefined ? undefined : String(opts.id),
      opts?.retry,
    );
    if (cost < 0) throw refusal(cost, text, opts, hub._options.limits);
    posted();
    hub._sends++;
    return { matched: this._matched() };
  }

  /** The loop's numbers of who is meant at this moment. */
  _numbers() {
    const hub = this._hub;
    const numbers = { rooms: [], clients: [], exceptRooms: [], exceptClients: [] };
    this._addIncluded(numbers.rooms, numbers.clients);
    for (const name of this._excepted.rooms) {
      const room = hub._rooms.find(name);
      if (room !== undefined) numbers.exceptRooms.push(room.number);
    }
    for (const client of this._excepted.clients) numbers.exceptClients.push(client._number);
    for (const target of this._excepted.targets) {
      if (target._isPlain()) target._addIncluded(numbers.exceptRooms, numbers.exceptClients);
      else for (const client of target._members()) numbers.exceptClients.push(client._number);
    }
    return numbers;
  }

  /** Nothing but rooms, users and clients. */
  _isPlain() {
    const { rooms, clients, targets } = this._excepted;
    return !this._everyone && rooms.length + clients.length + targets.length === 0;
  }

  _addIncluded(rooms, clients) {
    const hub = this._hub;
    for (const name of this._included.rooms) {
      const room = hub._rooms.find(name);
      if (room !== undefined) rooms.push(room.number);
    }
    for (const name of this._included.users) {
      const user = hub._users.find(name);
      if (user !== undefined) rooms.push(user.number);
    }
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
    for (const client of clients) client._join(wanted);
  }

  leave(rooms) {
    const unwanted = names(rooms, 'rooms');
    for (const client of this.clients()) client._leave(unwanted);
  }

  disconnect(opts) {
    const { event, data, hasData } = closeOptions(opts);
    const { limits, serialize } = this._hub._options;
    // Refused even if nobody is meant.
    checkSize(hasData ? serialized(serialize, data) : '', { event }, limits.eventBytes);
    for (const client of this.clients()) client.close(opts);
  }
}

module.exports = { Target };
