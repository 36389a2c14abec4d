'use strict';

// What the primary and its workers say to each other on their socket: frames of a length (u32), a kind (u8) and a body, numbers
// with the least byte first. An event is written once, by the worker that sends it; the primary fills in its place, and what
// it then keeps, and gives to all, are the same bytes.
//
//   event    length of the rest (u32), place (f64), number (f64), length of its head (u32), head, data

const { idOf } = require('../distribution/ids');

const PROTOCOL = 1; // a primary lives longer than its workers, and may have loaded another version of this
const HEADER = 5;
const EVENT = 24; // bytes of an event beside head and data

const KIND = Object.freeze({
  HELLO: 1, // to the primary, JSON: the first thing that is said
  PUBLISH: 2, // to the primary: number of the request (u32), number of the first send (f64), events
  ASK: 3, // to the primary, JSON: { n, verb, args }
  TAKEN: 4, // to the primary: so many bytes of events have been taken (u32)
  STARTED: 5, // to a worker: the place behind which events come (f64)
  EVENTS: 6, // to a worker: events
  LOST: 7, // to a worker: the place behind which they go on (f64)
  DONE: 8, // to a worker, JSON: { n, value } or { n, error }
  PAGE: 9, // to a worker: number of the request (u32), is it whole (u8), events
  ANSWERED: 10, // to a worker: text
  REFUSED: 11, // to a worker: why, for good
});

/** @param {Buffer[]} parts of the body */
function frame(kind, ...parts) {
  const header = Buffer.allocUnsafe(HEADER);
  header.writeUInt32LE(
    parts.reduce((sum, { length }) => sum + length, 0),
    0,
  );
  header[4] = kind;
  return Buffer.concat([header, ...parts]);
}

const jsonFrame = (kind, value) => frame(kind, Buffer.from(JSON.stringify(value)));

function u32(value) {
  const bytes = Buffer.allocUnsafe(4);
  bytes.writeUInt32LE(value);
  return bytes;
}

function f64(value) {
  const bytes = Buffer.allocUnsafe(8);
  bytes.writeDoubleLE(value);
  return bytes;
}

/**
 * @param {number} first number of the first one
 * @param {{head: string, data: Uint8Array}[]} sends
 * @returns {Buffer} events without a place
 */
function eventsFrom(first, sends) {
  const heads = sends.map(({ head }) => Buffer.byteLength(head));
  const total = sends.reduce((sum, { data }, i) => sum + EVENT + heads[i] + data.byteLength, 0);
  const bytes = Buffer.allocUnsafe(total);
  let at = 0;
  for (const [i, { head, data }] of sends.entries()) {
    bytes.writeUInt32LE(EVENT - 4 + heads[i] + data.byteLength, at);
    bytes.writeDoubleLE(0, at + 4);
    bytes.writeDoubleLE(first + i, at + 12);
    bytes.writeUInt32LE(heads[i], at + 20);
    bytes.write(head, at + EVENT, 'utf8');
    bytes.set(data, at + EVENT + heads[i]);
    at += EVENT + heads[i] + data.byteLength;
  }
  return bytes;
}

/**
 * @param {Buffer} bytes events
 * @returns {Buffer[]} each by itself: the same memory
 */
function split(bytes) {
  const events = [];
  for (let at = 0; at < bytes.length; ) {
    const end = at + 4 + bytes.readUInt32LE(at);
    if (end > bytes.length || end - at < EVENT) throw new RangeError('no event');
    events.push(bytes.subarray(at, end));
    at = end;
  }
  return events;
}

/** @param {Buffer} event */
const placeOf = (event) => event.readDoubleLE(4);
const setPlace = (event, seq) => event.writeDoubleLE(seq, 4);

/** @returns {{id: string, number: number, head: string, data: Buffer}} of the same memory */
function entryOf(event) {
  const data = EVENT + event.readUInt32LE(20);
  return {
    id: idOf(placeOf(event)),
    number: event.readDoubleLE(12),
    head: event.toString('utf8', EVENT, data),
    data: event.subarray(data),
  };
}

/** Frames out of a socket's chunks. */
class FrameReader {
  /** @param {(kind: number, body: Buffer) => void} take */
  constructor(take) {
    this._take = take;
    this._chunks = [];
    this._bytes = 0;
    this._wanted = HEADER; // bytes that there must be, before anything can be taken
  }

  /** How many bytes the frame has that has begun. */
  get wanted() {
    return this._wanted;
  }

  push(chunk) {
    this._chunks.push(chunk);
    this._bytes += chunk.length;
    if (this._bytes < this._wanted) return;
    const all = this._chunks.length === 1 ? chunk : Buffer.concat(this._chunks);
    let at = 0;
    this._wanted = HEADER;
    while (all.length - at >= HEADER) {
      this._wanted = HEADER + all.readUInt32LE(at);
      if (all.length - at < this._wanted) break;
      const end = at + this._wanted;
      this._wanted = HEADER;
      this._take(all[at + 4], all.subarray(at + HEADER, end));
      at = end;
    }
    this._chunks = at < all.length ? [all.subarray(at)] : [];
    this._bytes = all.length - at;
  }
}

module.exports = {
  FrameReader,
  KIND,
  PROTOCOL,
  entryOf,
  eventsFrom,
  f64,
  frame,
  jsonFrame,
  placeOf,
  setPlace,
  split,
  u32,
};
