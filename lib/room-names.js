'use strict';

// The names of the rooms that one client is in. Most clients are in one, and nobody asks which: a Set for each would be a good part of
// what a client costs. So they are kept as null (never in any), a string (in that one), or a Set (more, or somebody has looked).

const NONE = Object.freeze([]);

function has(rooms, name) {
  return typeof rooms === 'object' && rooms !== null ? rooms.has(name) : rooms === name;
}

function sizeOf(rooms) {
  if (rooms === null) return 0;
  return typeof rooms === 'string' ? 1 : rooms.size;
}

/** @returns {string|Set<string>} with that name, too */
function added(rooms, name) {
  if (rooms === null) return name;
  return asSet(rooms).add(name);
}

/** @returns {Set<string>} without that name, which is in there */
function removed(rooms, name) {
  const set = asSet(rooms);
  set.delete(name);
  return set;
}

/** @returns {Iterable<string>} */
function namesOf(rooms) {
  if (rooms === null) return NONE;
  return typeof rooms === 'string' ? [rooms] : rooms;
}

/** @returns {Set<string>} the same one for a Set */
function asSet(rooms) {
  return typeof rooms === 'object' && rooms !== null ? rooms : new Set(namesOf(rooms));
}

module.exports = { added, asSet, has, namesOf, removed, sizeOf };
