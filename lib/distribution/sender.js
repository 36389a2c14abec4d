'use strict';

// What waits to be accepted by the engine. One batch is on its way at a time, and the same batch goes again until it is
// answered: so nothing overtakes, and a repeated one is known for what it is. While it is on its way the next one gathers,
// and a slow engine gets larger batches instead of more of them.

const errors = require('../errors');

const BATCH_SENDS = 256;
const BATCH_BYTES = 1 << 20;
const RETRY_MIN = 50; // ms; doubles
const RETRY_MAX = 2_000;

const settled = Promise.resolve();

/** One send on its way. */
class Pending {
  #bytes = null;
  #promise = null;
  #settle = null;

  /**
   * @param {string} head
   * @param {string|Uint8Array} data bytes are copied: whoever sends may use the same memory for the next
   * @param {boolean} isKept
   * @param {string|undefined} id what it has if it is not kept
   */
  constructor(head, data, isKept, id) {
    this.head = head;
    this.text = typeof data === 'string' ? data : undefined;
    if (this.text === undefined) this.#bytes = new Uint8Array(data);
    this._isKept = isKept;
    this._id = id;
    this.bytes = Buffer.byteLength(head) + Buffer.byteLength(data);
    this.outcome = null; // { place }: its id among all; or { error }
  }

  /** Made when somebody wants it: text can be written straight to where it goes. */
  get data() {
    this.#bytes ??= Buffer.from(this.text);
    return this.#bytes;
  }

  /** With the event's id, once the engine has it. Nobody need listen. */
  get accepted() {
    if (this.#promise === null) {
      this.#promise = new Promise((resolve, reject) => {
        this.#settle = ({ place, error }) => {
          if (error !== undefined) reject(error);
          else resolve(this._isKept ? place : this._id);
        };
      });
      this.#promise.catch(() => {}); // who asks gets it; who does not look is not told by a crash
      if (this.outcome !== null) this.#settle(this.outcome);
    }
    return this.#promise;
  }

  settle(outcome) {
    this.outcome = outcome;
    this.#settle?.(outcome);
  }
}

class Sender {
  /**
   * @param {(first: number, sends: Pending[]) => Promise<string[]>} publish answers the ids; `first` numbers the batch and is the
   *   same when it is sent again
   * @param {number} maxPendingBytes
   * @param {(error: Error|null) => void} told whether the engine takes anything, after each attempt
   */
  constructor(publish, maxPendingBytes, told) {
    this._publish = publish;
    this._told = told;
    this._max = maxPendingBytes;
    this._queue = [];
    this._batch = null; // on its way
    this._next = 1; // the number of the next send that goes into a batch
    this._timer = null;
    this._delay = RETRY_MIN;
    this._error = null; // why nothing is taken any more
    this._idle = null; // resolve functions
    this.bytes = 0;
    this.last = null; // the id of what was accepted last
  }

  /** @returns {Pending} see there */
  add(head, data, isKept, id) {
    const pending = new Pending(head, data, isKept, id);
    const error = this._error ?? this._refusal(pending);
    if (error !== null) {
      pending.settle({ error });
      return pending;
    }
    this.bytes += pending.bytes;
    this._queue.push(pending);
    if (this._batch === null && this._timer === null && this._queue.length === 1) {
      // What one stretch of code sends travels together, unless something else has sent it off by then.
      settled.then(() => this._batch === null && this._send()); // cheaper than queueMicrotask: no AsyncResource
    }
    return pending;
  }

  _refusal({ bytes }) {
    if (this.bytes === 0 || this.bytes + bytes <= this._max) return null;
    return errors.adapter(`maxPendingBytes (${this._max}) wait to be accepted`);
  }

  _send() {
    if (this._batch === null) this._batch = this._gather();
    if (this._batch === null || this._timer !== null) return;
    const batch = this._batch;
    this._publish(batch.first, batch.sends).then(
      (ids) => this._accepted(batch, ids),
      (err) => this._refused(batch, err),
    );
  }

  _gather() {
    if (this._queue.length === 0) return null;
    let bytes = 0;
    let count = 0;
    for (const send of this._queue) {
      if (count > 0 && (count === BATCH_SENDS || bytes + send.bytes > BATCH_BYTES)) break;
      bytes += send.bytes;
      count++;
    }
    const first = this._next;
    this._next += count;
    return { first, sends: this._queue.splice(0, count) };
  }

  _accepted(batch, ids) {
    if (this._batch !== batch) return; // closed meanwhile
    this._delay = RETRY_MIN;
    this._over(batch);
    this._told(null);
    for (const [i, send] of batch.sends.entries()) send.settle({ place: ids[i] });
    this.last = ids.at(-1);
    this._send();
  }

  _refused(batch, err) {
    if (this._batch !== batch) return;
    this._told(err);
    if (err.isFinal) {
      // The engine has looked at this batch and will never take it.
      this._over(batch);
      const error = errors.adapter(err.message, err);
      for (const send of batch.sends) send.settle({ error });
      this._send();
      return;
    }
    this._timer = setTimeout(() => this.again(), this._delay);
    this._delay = Math.min(RETRY_MAX, this._delay * 2);
  }

  _over(batch) {
    this._batch = null;
    for (const { bytes } of batch.sends) this.bytes -= bytes;
    if (this._queue.length === 0) this._tellIdle();
  }

  /** The engine can be reached again. What is on its way stays there. */
  again() {
    if (this._batch !== null && this._timer === null) return;
    clearTimeout(this._timer);
    this._timer = null;
    this._send();
  }

  /** Does nothing wait? */
  get isIdle() {
    return this._batch === null && this._queue.length === 0;
  }

  /** Resolves when nothing waits. */
  idle() {
    if (this.isIdle) return Promise.resolve();
    return new Promise((resolve) => {
      this._idle ??= [];
      this._idle.push(resolve);
    });
  }

  _tellIdle() {
    for (const resolve of this._idle ?? []) resolve();
    this._idle = null;
  }

  /** Nothing is taken any more, and what waits is refused. */
  close(error) {
    this._error = error;
    clearTimeout(this._timer);
    this._timer = null;
    const rest = [...(this._batch?.sends ?? []), ...this._queue];
    this._batch = null;
    this._queue = [];
    this.bytes = 0;
    for (const send of rest) send.settle({ error });
    this._tellIdle();
  }
}

module.exports = { Sender };
