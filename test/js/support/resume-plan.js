'use strict';

// What a storm sends, and who is meant: both sides of the wire work it out from the seed, so that a reader knows what it must get
// without being told.

const ROOMS = 10;
const ROOM_COUNTS = [1, 2, 5]; // a client is in so many
const USERS = 40;
const BIG = 8_000;
const LEFT_OUT = 0.85; // of a draw: beyond it a send is not kept

/** A random number from 0 to 1 for each pair of numbers. */
function draw(seed, n) {
  let x = (seed ^ Math.imul(n + 1, 0x9e3779b1)) >>> 0;
  x = Math.imul(x ^ (x >>> 16), 0x85ebca6b);
  x = Math.imul(x ^ (x >>> 13), 0xc2b2ae35);
  return ((x ^ (x >>> 16)) >>> 0) / 2 ** 32;
}

class Plan {
  /**
   * @param {number} seed
   * @param {number} count of sends
   * @param {number} size at most, of most of them, in bytes
   */
  constructor(seed, count, size) {
    this.seed = seed;
    this._size = size;
    this.steps = [];
    this._indexOf = [-1]; // number in an id → step
    for (let i = 0; i < count; i++) this.steps.push(this._step(i));
  }

  _step(i) {
    const random = (n) => draw(this.seed + n, i);
    const room = Math.floor(random(1) * ROOMS);
    const isKept = random(2) < LEFT_OUT;
    if (isKept) this._indexOf.push(i);
    const step = { isKept, seq: this._indexOf.length - 1, isDelivered: random(3) < 0.1 };
    step.size = random(4) < 0.01 ? BIG : Math.floor(random(5) * this._size);
    const kind = random(6);
    if (kind < 0.05) step.everyone = true;
    else if (kind < 0.15) step.users = [Math.floor(random(7) * USERS)];
    else if (kind < 0.65) step.rooms = [room];
    else step.rooms = [room, (room + 1) % ROOMS, (room + 3) % ROOMS];
    if (kind > 0.9) step.except = (room + 2) % ROOMS;
    return step;
  }

  /** The data of step i. */
  dataOf(i) {
    return `${i} `.padEnd(this.steps[i].size, 'x');
  }

  /** The first step behind the event with that number. */
  behind(seq) {
    return this._indexOf[seq] + 1;
  }

  /** Where client number c is. @returns {{rooms: number[], user: number}} */
  placeOf(c) {
    const count = ROOM_COUNTS[c % ROOM_COUNTS.length];
    const rooms = Array.from({ length: count }, (_, k) => (c + k * (1 + (c % 2))) % ROOMS);
    return { rooms, user: c % USERS };
  }

  isFor(i, { rooms, user }) {
    const step = this.steps[i];
    if (step.everyone) return true;
    if (step.users !== undefined) return step.users.includes(user);
    if (step.except !== undefined && rooms.includes(step.except)) return false;
    return step.rooms.some((room) => rooms.includes(room));
  }

  /** Sends step i. */
  send(hub, i) {
    const { everyone, users, rooms, except, isKept, isDelivered } = this.steps[i];
    let target = null;
    if (users !== undefined) target = hub.user(users.map(userName));
    else if (rooms !== undefined) target = hub.to(rooms.map(roomName));
    if (except !== undefined) target = target.except(roomName(except));
    const data = this.dataOf(i);
    const opts = { event: isKept ? 'kept' : 'passing', history: isKept ? undefined : false };
    if (everyone) hub.broadcast(data, opts);
    else if (isDelivered) return target.deliver(data, opts);
    else target.send(data, opts);
    return null;
  }
}

const roomName = (number) => `room ${number}`;
const userName = (number) => `user ${number}`;

module.exports = { Plan, ROOM_COUNTS, draw, roomName, userName };
