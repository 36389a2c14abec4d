'use strict';

/** Who is in which room, where the driver keeps that itself. Somebody who is in none costs nothing. */
class Rooms {
  #members = new Map(); // of a room a Set
  #rooms = new Map(); // of a member a Set

  join(room, member) {
    add(this.#members, room, member);
    add(this.#rooms, member, room);
  }

  leave(room, member) {
    remove(this.#members, room, member);
    remove(this.#rooms, member, room);
  }

  /** It has gone. */
  leaveAll(member) {
    for (const room of this.#rooms.get(member) ?? []) remove(this.#members, room, member);
    this.#rooms.delete(member);
  }

  of(room) {
    return this.#members.get(room) ?? [];
  }
}

function add(sets, key, value) {
  const set = sets.get(key);
  if (set) set.add(value);
  else sets.set(key, new Set([value]));
}

function remove(sets, key, value) {
  const set = sets.get(key);
  if (set?.delete(value) && set.size === 0) sets.delete(key);
}

module.exports = { Rooms };
