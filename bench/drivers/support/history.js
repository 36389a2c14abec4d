'use strict';

/** The last events of everybody, where the driver keeps them itself: ids are 1, 2, 3, ... `size` 0: none, and events have no id. */
class History {
  #size;
  #kept = []; // whatever keep() was given, the oldest first
  #last = 0;

  constructor(size) {
    this.#size = size;
  }

  /** The id of the next event; undefined without a history. */
  next() {
    return this.#size > 0 ? this.#last + 1 : undefined;
  }

  /** What next() was asked for. */
  keep(event) {
    if (this.#size === 0) return;
    this.#last++;
    this.#kept.push(event);
    if (this.#kept.length > this.#size) this.#kept.shift();
  }

  /** What a client that has seen this id has missed; 0: it has seen none, and gets none. */
  after(id) {
    return id > 0 ? this.#kept.slice(Math.max(0, id - this.#last + this.#kept.length)) : [];
  }
}

module.exports = { History };
