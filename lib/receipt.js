'use strict';

// The answers of a send: at once how many are meant, and, for those who ask, when it is kept and what became of it.

const { deliveries } = require('./loop');

/** What `send` answers. `accepted` is a promise only for those who read it. */
class Receipt {
  #id;
  #pending;

  /**
   * @param {number} matched
   * @param {string|undefined} id of the event
   * @param {{accepted: Promise<string|undefined>}|null} pending with an adapter: it has yet to accept it
   */
  constructor(matched, id, pending = null) {
    this.matched = matched;
    this.#id = id;
    this.#pending = pending;
  }

  /** With the history in this process, what is posted is as good as kept: the loop takes it in before anything posted later. */
  get accepted() {
    return this.#pending === null ? Promise.resolve(this.#id) : this.#pending.accepted;
  }
}

let lastTicket = 0;

/** Asks the loop what becomes of one event. */
class Ticket {
  constructor(hub) {
    this.number = ++lastTicket;
    this._hub = hub;
    this._id = undefined;
    this._matched = 0;
    this.done = new Promise((resolve, reject) => {
      this._resolve = resolve;
      this._reject = reject;
    });
  }

  /**
   * It has been posted.
   * @param {string|undefined} id
   * @param {number} matched what the hub knows now
   */
  posted(id, matched) {
    this._id = id;
    this._matched = matched;
    deliveries.set(this.number, this);
    this._hub._tickets.add(this);
  }

  /** It has yet to come back from the engine. */
  travels() {
    this._hub._tickets.add(this);
  }

  /** The engine did not take it. Who does not look is not told by a crash. */
  refused(err) {
    this._forget();
    this.done.catch(() => {});
    this._reject(err);
  }

  /** Nobody is meant, so nothing was posted that could be asked after. */
  nobody(id) {
    this._forget();
    this._resolve({ id, matched: 0, written: 0, dropped: 0, closed: 0 });
  }

  /** The loop has counted the fate of every reference. */
  settle(written, dropped, closed) {
    this._forget();
    this._resolve({ id: this._id, matched: written + dropped + closed, written, dropped, closed });
  }

  /** The hub has ended, and the loop could not tell any more. */
  hubEnded() {
    this._forget();
    const matched = this._matched;
    this._resolve({ id: this._id, matched, written: 0, dropped: 0, closed: matched });
  }

  _forget() {
    deliveries.delete(this.number);
    this._hub._tickets.delete(this);
    this._hub._heard();
  }
}

module.exports = { Receipt, Ticket };
