'use strict';

// The JavaScript side of the two doors to the I/O loop: what is posted leaves at the end of the present
// synchronous stretch, and notices come back in batches, by client. One per environment (the main thread, a worker).

const native = require('./native');

const FIELDS = 6; // of a letter: kind, reason, id, and three numbers
const EVICTED = 1;
const RELEASED = 2;
const REPORT = 3;
const RELAY = 4;
const DROP = 5;
const RESET = 6;
const DELIVERED = 7;
const FORGOTTEN = 8;
const DETACHED = 9;

const REASON = Object.fromEntries(native.reasons.map((word, number) => [word, number]));

/** Native id → client, from connect until JavaScript is done with it. Keeps clients and their hubs alive. */
const clients = new Map();

/** Number of a ticket → who asked what becomes of an event. */
const deliveries = new Map();

/** Native id → hub, while its rooms have history; a hub may be collected without having been closed. */
const hubs = new Map();
const collected = new FinalizationRegistry((id) => hubs.delete(id));

/** The hub wants to be told of rooms whose history has ended. */
function listen(hub) {
  hubs.set(hub._native.id, new WeakRef(hub));
  collected.register(hub, hub._native.id);
}

/** What the loop has cost this environment, for stats(). */
const counts = { flushes: 0, callbacks: 0, notices: 0 };

const LATER = 100; // ms that may go by until the loop learns of something that nobody waits for

const settled = Promise.resolve();
let scheduled = false;
let isLeft = false; // posted for later, and not yet gone
let timer = null;
let keys = new Float64Array(1024);

function flush() {
  scheduled = false;
  isLeft = false;
  counts.flushes++;
  native.flush();
}

/** Call after posting: what was posted leaves when the present stretch of code ends. */
function posted() {
  if (scheduled) return;
  scheduled = true;
  settled.then(flush);
}

/** The same for what is of no consequence to anybody now: it leaves with whatever is posted next, or a little later. */
function postedForLater() {
  isLeft = true;
  if (scheduled || timer !== null) return;
  timer = setTimeout(() => {
    timer = null;
    if (isLeft) flush();
  }, LATER);
  timer.unref();
}

/**
 * The array in which the numbers of a target are passed.
 * @param {number} length how many there are
 * @returns {Float64Array} at least that long
 */
function keysFor(length) {
  if (length > keys.length) {
    keys = new Float64Array(length * 2);
    native.setup(undefined, keys);
  }
  return keys;
}

function tellClient(client, kind, reason, first, second, bytes) {
  switch (kind) {
    case EVICTED:
      client._evicted(native.reasons[reason], first, second);
      break;
    case RELEASED:
      client._released(native.reasons[reason], first, second);
      break;
    case REPORT:
      client._reported(first, second);
      break;
    case RELAY:
      client._relay(bytes);
      break;
    case DROP:
      client._dropped(native.drops[reason], first, second);
      break;
    case RESET:
      client._wasReset();
      break;
    case DETACHED:
      client._takeover.detach();
      break;
    default:
      throw new Error(`fanline: unknown notice ${kind}`);
  }
}

/** To whom a letter goes depends on its kind; whoever is not there any more need not know. */
function deliver(kind, reason, id, numbers, bytes) {
  const [first, second, third] = numbers;
  if (kind === DELIVERED) deliveries.get(id)?.settle(first, second, third);
  else if (kind === FORGOTTEN) hubs.get(id)?.deref()?._forgetRoom(first, second);
  else {
    const client = clients.get(id);
    if (client !== undefined) tellClient(client, kind, reason, first, second, bytes);
  }
}

let holders = 0;

/** What keeps the process alive as an open response would, where Node has none; each is to be followed by an unhold(). */
function hold() {
  if (holders++ === 0) native.hold(true);
}

function unhold() {
  if (--holders === 0) native.hold(false);
}

function rethrow(err) {
  throw err;
}

/**
 * Emits an event. What a listener throws becomes an uncaught exception, as it should be; nobody else loses anything by it.
 * @param {import('node:events').EventEmitter} emitter
 */
function tell(emitter, name, ...args) {
  try {
    emitter.emit(name, ...args);
  } catch (err) {
    process.nextTick(rethrow, err);
  }
}

/** One call for each batch. A listener that throws must not cost others their notices. */
function onNotices(count, letters, blocks) {
  counts.callbacks++;
  counts.notices += count;
  // Our own copy: a listener may cause the next batch before this one is through.
  const batch = letters.slice(0, count * FIELDS);
  let block = 0;
  for (let at = 0; at < batch.length; at += FIELDS) {
    const kind = batch[at];
    const bytes = kind === RELAY ? blocks[block++] : undefined;
    try {
      deliver(kind, batch[at + 1], batch[at + 2], batch.subarray(at + 3, at + FIELDS), bytes);
    } catch (err) {
      process.nextTick(rethrow, err);
    }
  }
}

native.setup(onNotices, keys);

module.exports = {
  REASON,
  clients,
  counts,
  deliveries,
  flush,
  hold,
  keysFor,
  listen,
  native,
  posted,
  postedForLater,
  tell,
  unhold,
};
