'use strict';

// Who is in which room, as JavaScript needs to know it: names, sizes, members. The loop has the same membership by
// number; a number stands for one life of a name and is never used again.

/** The rooms, or the users, of one hub. */
class Rooms {
  /** @param {{next: number}} numbers the source of numbers; rooms and users of a hub share one */
  constructor(numbers) {
    this._numbers = numbers;
    this._byName = new Map(); // name → { number, members: Set<Client> }
  }

  /** @returns {number} the room's number */
  add(name, client) {
    let room = this._byName.get(name);
    if (room === undefined) {
      room = { number: this._numbers.next++, members: new Set() };
      this._byName.set(name, room);
    }
    room.members.add(client);
    return room.number;
  }

  /** @returns {number} the room's number; the last member's leaving ends the room */
  remove(name, client) {
    const room = this._byName.get(name);
    room.members.delete(client);
    if (room.members.size === 0) this._byName.delete(name);
    return room.number;
  }

  /** @returns {{number: number, members: Set<object>}|undefined} */
  find(name) {
    return this._byName.get(name);
  }

  /** @returns {number} how many are in that room */
  sizeOf(name) {
    return this._byName.get(name)?.members.size ?? 0;
  }

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
