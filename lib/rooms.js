'use strict';

// Who is in which room, as JavaScript needs to know it: names, sizes, members. The loop has the same membership by
// number; a number stands for one life of a name, which lasts as long as members or history, and is never used again.

/** The rooms, or the users, of one hub. A room is here while it has members, or while the loop keeps something of its history. */
class Rooms {
  /** @param {{next: number}} numbers the source of numbers; rooms and users of a hub share one */
  constructor(numbers) {
    this._numbers = numbers;
    this._byName = new Map(); // name → { number, members: Set<Client>, last }, with members
    this._empty = new Map(); // the same without members, but with history
    this._names = new Map(); // number → name, of all that have history
  }

  /** @returns {number} the room's number */
  add(name, client) {
    let room = this._byName.get(name);
    if (room === undefined) {
      room = this.numbered(name);
      this._empty.delete(name);
      this._byName.set(name, room);
    }
    room.members.add(client);
    return room.number;
  }

  /** @returns {number} the room's number; the last member's leaving ends the room, but for its history */
  remove(name, client) {
    const room = this._byName.get(name);
    room.members.delete(client);
    if (room.members.size === 0) {
      this._byName.delete(name);
      if (room.last > 0) this._empty.set(name, room);
    }
    return room.number;
  }

  /** The room of that name, with members or without; a new one is forgotten unless it is joined or kept. */
  numbered(name) {
    const room = this._byName.get(name) ?? this._empty.get(name);
    return room ?? { number: this._numbers.next++, members: new Set(), last: 0 };
  }

  /**
   * The history has an event that concerns this room: its number must live as long.
   * @param {object} room from `numbered`
   * @param {number} seq the event's number
   */
  keep(name, room, seq) {
    if (room.last === 0) this._names.set(room.number, name);
    room.last = seq;
    if (room.members.size === 0) this._empty.set(name, room);
  }

  /**
   * The loop has nothing of that room any more.
   * @param {number} number
   * @param {number} last the highest number of an event that the loop knew to concern it
   * @returns {boolean} false: there is no such room here
   */
  forget(number, last) {
    const name = this._names.get(number);
    if (name === undefined) return false;
    const room = this.numbered(name);
    if (room.last > last) return true; // something newer is on its way to the loop
    this._names.delete(number);
    this._empty.delete(name);
    room.last = 0;
    return true;
  }

  /** @returns {{number: number, members: Set<object>}|undefined} with members */
  find(name) {
    return this._byName.get(name);
  }

  /** @returns {number} how many are in that room */
  sizeOf(name) {
    return this._byName.get(name)?.members.size ?? 0;
  }

  /** Rooms with members. */
  get size() {
    return this._byName.size;
  }

  [Symbol.iterator]() {
    return this._byName[Symbol.iterator]();
  }
}

/** What `hub.rooms` shows: a read-only map from names to sizes. */
class RoomSizes {
  #rooms;

  constructor(rooms) {
    this.#rooms = rooms;
  }

  get size() {
    return this.#rooms.size;
  }

  has(name) {
    return this.#rooms.find(name) !== undefined;
  }

  get(name) {
    return this.#rooms.find(name)?.members.size;
  }

  *entries() {
    for (const [name, room] of this.#rooms) yield [name, room.members.size];
  }

  *keys() {
    for (const [name] of this.#rooms) yield name;
  }

  *values() {
    for (const [, room] of this.#rooms) yield room.members.size;
  }

  forEach(callback, thisArg) {
    for (const [name, size] of this.entries()) callback.call(thisArg, size, name, this);
  }

  [Symbol.iterator]() {
    return this.entries();
  }

  [Symbol.for('nodejs.util.inspect.custom')](_depth, _options, inspect) {
    return inspect(new Map(this));
  }
}

module.exports = { Rooms, RoomSizes };
