'use strict';

// What a client that comes back is given: what it missed, or word that this is impossible, and the state of the world from
// the application (`snapshot`). The loop keeps the events and replays them; here cursors are read and snapshots are run.
//
// Ids are `<epoch>-<number>`: the epoch stands for one life of one hub, so that a cursor from before a restart is known
// for what it is. Numbers rise over the whole hub, so that one cursor covers all rooms.

const { randomBytes } = require('node:crypto');
const { PER_MS, idOf: idInOrder, seqOf } = require('./distribution/ids');
const { posted } = require('./loop');

const EPOCH_LENGTH = 8;
const LETTERS = 'abcdefghijklmnopqrstuvwxyz'; // the first is one: never mistaken for the id of a Redis stream
const DIGITS = `${LETTERS}0123456789`;
const ID_LENGTH_MAX = EPOCH_LENGTH + 1 + 16; // 2^53 has 16 digits: nothing longer is looked at
const ID = /^([a-z][a-z0-9]{7})-(0|[1-9]\d{0,15})$/;
const UNUSABLE = -1;
const CLOCKS = 60_000; // ms; machines' clocks agree to this
const TELL = 0; // enum fan_otherwise
const TELL_AND_GATE = 1;

/** Clients to whom the application tells the state of the world at present. */
const running = new WeakSet();

/** @returns {string} 8 characters, the first a letter */
function newEpoch() {
  const bytes = randomBytes(EPOCH_LENGTH);
  let epoch = LETTERS[bytes[0] % LETTERS.length];
  for (const byte of bytes.subarray(1)) epoch += DIGITS[byte % DIGITS.length];
  return epoch;
}

/** @returns {string} the id of the event with that number */
function idOf(hub, seq) {
  return hub._traffic === null ? `${hub._epoch}-${seq}` : idInOrder(seq);
}

/**
 * The same for the ids of an adapter. One that other processes may know, and this one not yet, can be used. The engine's clock
 * may have been ahead, and ids never go back.
 */
function readSharedCursor({ _traffic }, id) {
  const seq = id.length <= ID_LENGTH_MAX ? seqOf(id) : UNUSABLE;
  const now = Math.max(Date.now() * PER_MS, _traffic.tail);
  if (seq >= 0 && seq < now + CLOCKS * PER_MS) return { seq, why: 'expired' };
  return { seq: UNUSABLE, why: ID.test(id) ? 'restart' : 'invalid' };
}

/**
 * What a Last-Event-ID says.
 * @param {object} hub with history
 * @param {string} id from the request: anything
 * @returns {{seq: number, why: string}} `seq` -1: it can't be used. `why`: what the client is told if it can't be helped
 */
function readCursor(hub, id) {
  const found = id.length <= ID_LENGTH_MAX ? ID.exec(id) : null;
  if (found === null) return { seq: UNUSABLE, why: 'invalid' };
  if (found[1] !== hub._epoch) return { seq: UNUSABLE, why: 'restart' };
  const seq = Number(found[2]);
  return seq <= hub._seq ? { seq, why: 'expired' } : { seq: UNUSABLE, why: 'invalid' };
}

/**
 * Behind `connect`'s other commands: whoever has a cursor gets what it missed, or one `fanline:reset`; whoever has none begins
 * here. Where there is a snapshot, everything else waits behind it.
 * @param {object} client in the loop, in its rooms, without a sink
 */
function begin(client) {
  const hub = client._hub;
  const { history, snapshot } = hub._options;
  const id = client.lastEventId;
  client._begun = hub._seq;
  if (history !== null && id !== undefined && id !== '') {
    const { seq, why } = hub._traffic === null ? readCursor(hub, id) : readSharedCursor(hub, id);
    if (hub._traffic !== null && seq !== UNUSABLE) {
      hub._traffic.recoveries.begin(client, seq, why);
      return;
    }
    // Before the snapshot is through the client has not got everything up to here: cut off in its middle it must come back as
    // someone without a usable cursor.
    const newId = snapshot === null ? idOf(hub, client._begun) : undefined;
    const otherwise = snapshot === null ? TELL : TELL_AND_GATE;
    const cost = hub._native.resume(client._number, seq, why, 'fanline:reset', newId, otherwise);
    client._account(cost, why, undefined);
  } else if (snapshot !== null) {
    hub._native.gate(client._number);
    process.nextTick(run, client, 'new'); // connect() returns first
  } else if (history !== null) {
    mark(client);
  }
  posted();
}

/**
 * From here on the client has got everything up to where it began. Without a blank line behind it the id counts with the first
 * block that is complete (a block of its own, without data, would upset strict readers): whoever leaves before has no cursor, and
 * comes back as one who begins.
 */
function mark(client) {
  if (client._begun === 0 && client._hub._traffic !== null) return; // the engine has not said where it stands
  const id = idOf(client._hub, client._begun);
  client._account(client._hub._native.mark(client._number, id), id, undefined);
}

/** Has the application tell the state of the world, then opens the gate. */
async function run(client, why) {
  const { limits, snapshot } = client._hub._options;
  if (client._closing !== null) return;
  running.add(client);
  let timer;
  try {
    const told = snapshot(client, why);
    if (typeof told?.then === 'function') {
      timer = limits.stallTimeout > 0 ? setTimeout(late, limits.stallTimeout, client) : undefined;
      timer?.unref();
      await told;
    }
    if (client._closing !== null) return;
    if (client._hub._options.history !== null) mark(client);
  } catch (err) {
    client._fail(err);
    return;
  } finally {
    clearTimeout(timer);
    running.delete(client);
  }
  client._hub._native.ungate(client._number);
  posted();
}

function late(client) {
  const { stallTimeout } = client._hub._options.limits;
  const err = new Error(`snapshot() has not come to its end within ${stallTimeout} ms`);
  err.name = 'TimeoutError';
  client._fail(err);
}

/** The loop says: the client was sent `fanline:reset`; or, with an adapter, that it is for us to find what it missed. */
function wasReset(client) {
  const { _options, _traffic } = client._hub;
  if (_traffic?.recoveries.has(client)) _traffic.recoveries.paused(client);
  else if (_options.snapshot !== null) run(client, 'reset');
}

/** Is a snapshot under way? What is lost meanwhile may be missing in it. */
function isTold(client) {
  return running.has(client);
}

module.exports = { begin, idOf, isTold, newEpoch, wasReset };
