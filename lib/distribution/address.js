'use strict';

// Targets as they travel: names only, for who is meant is decided where and when an event arrives.
//
//   { a: 1 }                       everyone
//   { r: ['news'], u: ['42'] }     rooms, users; c: ids of clients
//   { a: 1, x: { r, c, t } }       but not: rooms, ids of clients, other targets

const READ = 4_096; // heads that are remembered
const READ_LENGTH = 512; // of the longest of them

const isFilled = (list) => list.length > 0;

/**
 * @param {object} target
 * @returns {object} plain, for JSON
 */
function addressOf({ _everyone, _included, _excepted }) {
  const address = {};
  if (_everyone) address.a = 1;
  if (isFilled(_included.rooms)) address.r = _included.rooms;
  if (isFilled(_included.users)) address.u = _included.users;
  if (isFilled(_included.clients)) address.c = _included.clients;
  const { rooms, clients, targets } = _excepted;
  if (rooms.length + clients.length + targets.length === 0) return address;
  address.x = {};
  if (isFilled(rooms)) address.x.r = rooms;
  if (isFilled(clients)) address.x.c = clients.map((client) => client.id ?? client);
  if (isFilled(targets)) address.x.t = targets.map(addressOf);
  return address;
}

/**
 * The parts of a Target of this hub. Clients that are not here except nobody.
 * @param {object} hub
 * @param {object} address from addressOf()
 * @param {(hub: object, everyone: boolean, included: object, excepted: object) => object} make
 */
function targetFrom(hub, { a, r = [], u = [], c = [], x }, make) {
  const included = { rooms: r, users: u, clients: c, targets: [] };
  if (x === undefined) return make(hub, a === 1, included, undefined);
  const clients = (x.c ?? []).map((id) => hub.clients.get(id)).filter(Boolean);
  const targets = (x.t ?? []).map((address) => targetFrom(hub, address, make));
  return make(hub, a === 1, included, { rooms: x.r ?? [], clients, targets });
}

/**
 * Is anybody here, now, who may be meant?
 * @param {object} hub
 * @param {object} address
 */
function isHeard({ _open, _rooms, _users, clients }, { a, r = [], u = [], c = [] }) {
  if (a === 1) return _open > 0;
  if (r.some((room) => _rooms.find(room) !== undefined)) return true;
  return u.some((user) => _users.find(user) !== undefined) || c.some((id) => clients.has(id));
}

/**
 * Is this client among those whom an event was sent to that it missed?
 * @param {object} address
 * @param {{user: string|undefined, isIn: (room: string) => boolean}} reader
 */
function isMeant({ a, r = [], u = [], x }, reader) {
  const isIncluded = a === 1 || r.some((room) => reader.isIn(room)) || u.includes(reader.user);
  if (!isIncluded || x === undefined) return isIncluded;
  if ((x.r ?? []).some((room) => reader.isIn(room))) return false;
  return !(x.t ?? []).some((address) => isMeant(address, reader));
}

const isNames = (list) =>
  list === undefined || (Array.isArray(list) && list.every((name) => typeof name === 'string'));

/** What others write is looked at before it is used. */
function isAddress(value) {
  if (typeof value !== 'object' || value === null) return false;
  const { r, u, c, x } = value;
  if (!isNames(r) || !isNames(u) || !isNames(c)) return false;
  if (x === undefined) return true;
  if (typeof x !== 'object' || x === null || !isNames(x.r) || !isNames(x.c)) return false;
  return x.t === undefined || (Array.isArray(x.t) && x.t.every(isAddress));
}

const read = new Map(); // text → what it says: most events of a room have the same head

/** @returns {object|null} of an event that came, not to be changed; null: somebody else wrote that */
function headOf({ head }) {
  const known = read.get(head);
  if (known !== undefined) return known;
  let found = null;
  try {
    const said = JSON.parse(head);
    if (isAddress(said?.t)) found = said;
  } catch {
    // not JSON
  }
  if (head.length <= READ_LENGTH) {
    if (read.size >= READ) read.clear();
    read.set(head, found);
  }
  return found;
}

module.exports = { addressOf, headOf, isHeard, isMeant, targetFrom };
