'use strict';

// Many small events as one: a batch collects what is sent to a target and delivers a single event whose data is the
// array of it, for pages that prefer one parse. It holds JSON, never objects, and no more of it than one event may have.

const errors = require('./errors');
const { ARGUMENT, MS_MAX, checkKeys, integer, isPlain } = require('./checks');
const { checkSize } = require('./encode');
const { sendOptions } = require('./options');

const DELAY = 100; // ms
const EVENTS = 100;
const EVENT = 'batch';

/** Hub → its batches in which something waits. */
const waiting = new WeakMap();

function checkEvent(event, limits) {
  sendOptions({ event });
  checkSize('', { event }, limits.eventBytes);
}

function plainOptions(opts, known, where) {
  if (!isPlain(opts)) throw errors.argError('opts', 'a plain object', opts);
  checkKeys(opts, known, 'opts.', ARGUMENT, where);
  return opts;
}

function batchOptions(opts = {}, limits) {
  const given = plainOptions(opts, ['delay', 'events', 'event'], 'batch()');
  const { delay = DELAY, events = EVENTS, event = EVENT } = given;
  integer(delay, 'opts.delay', 0, MS_MAX, 'ms', ARGUMENT);
  if (events !== Infinity) {
    integer(events, 'opts.events', 1, Number.MAX_SAFE_INTEGER, 'or Infinity', ARGUMENT);
  }
  checkEvent(event, limits);
  return { delay, events, event };
}

function itemEvent(opts, limits) {
  if (opts === undefined) return undefined;
  const { event } = plainOptions(opts, ['event'], 'send()');
  if (event !== undefined) checkEvent(event, limits);
  return event;
}

/** `{ event, data }` as JSON, without `event` where there is none. */
function itemText(data, event) {
  let text;
  try {
    text = JSON.stringify(data);
  } catch (err) {
    throw errors.dataError(err?.message ?? String(err), err);
  }
  if (text === undefined) throw errors.dataError(`JSON has no value of type ${typeof data}`);
  return event === undefined
    ? `{"data":${text}}`
    : `{"event":${JSON.stringify(event)},"data":${text}}`;
}

class Batch {
  /**
   * @param {object} target decides at each flush who is meant
   * @param {{delay?: number, events?: number, event?: string}} [opts] `delay` in ms
   */
  constructor(target, opts) {
    this._target = target;
    this._hub = target._hub;
    const { delay, events, event } = batchOptions(opts, this._hub._options.limits);
    this._delay = delay;
    this._most = events;
    this._fields = { event };
    this._items = []; // JSON, oldest first
    this._bytes = 1; // of the array: each item has a bracket or comma before it, and one bracket ends them
    this._timer = null;
    this._isClosed = false;
  }

  send(data, opts) {
    const { limits } = this._hub._options;
    const event = itemEvent(opts, limits);
    this._checkOpen();
    const text = itemText(data, event);
    this._checkOpen(); // a toJSON may have closed it
    const bytes = Buffer.byteLength(text) + 1;
    if (1 + bytes > limits.eventBytes) throw errors.tooLarge(1 + bytes, limits.eventBytes);
    if (this._bytes + bytes > limits.eventBytes) this.flush();
    this._add(text, bytes);
    return this._items.length;
  }

  flush() {
    if (this._items.length === 0) return null;
    if (this._hub._isClosed) {
      this._clear(); // nobody is left
      return null;
    }
    // As bytes, so that the hub's `serialize` does not see it.
    const receipt = this._target.send(Buffer.from(`[${this._items.join(',')}]`), this._fields);
    this._clear();
    return receipt;
  }

  close() {
    this._isClosed = true;
    this._flushOrWait();
  }

  _checkOpen() {
    if (this._isClosed) throw errors.closed('batch');
    if (this._hub._isClosed) throw errors.closed('hub');
  }

  /** Flushes at once if that makes it enough. If the hub has no room for that, nothing was added. */
  _add(text, bytes) {
    this._items.push(text);
    this._bytes += bytes;
    if (this._items.length < this._most) {
      this._wait();
      return;
    }
    try {
      this.flush();
    } catch (err) {
      this._items.pop();
      this._bytes -= bytes;
      throw err;
    }
  }

  _wait() {
    if (this._timer !== null) return;
    this._timer = setTimeout(() => {
      this._timer = null;
      this._flushOrWait();
    }, this._delay);
    this._timer.unref();
    if (!waiting.has(this._hub)) waiting.set(this._hub, new Set());
    waiting.get(this._hub).add(this);
  }

  /** What a full hub does not take now stays for the next time. */
  _flushOrWait() {
    try {
      this.flush();
    } catch (err) {
      if (err.code !== 'ERR_FAN_FULL') throw err;
      this._wait();
    }
  }

  _clear() {
    clearTimeout(this._timer);
    this._timer = null;
    this._items = [];
    this._bytes = 1;
    waiting.get(this._hub)?.delete(this);
  }
}

/** Flushes all batches of a hub that is about to end streams. */
function flushBatches(hub) {
  for (const batch of waiting.get(hub) ?? []) batch._flushOrWait();
}

module.exports = { Batch, flushBatches };
