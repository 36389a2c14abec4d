'use strict';

// A link to an engine, with the test in the place of its hub: everything that the adapter tells is kept, in order.

const assert = require('node:assert/strict');
const { randomBytes } = require('node:crypto');
const { PER_MS } = require('../../../lib/distribution/ids');
const { when } = require('../../js/support/stage');

const ID = /^[1-9]\d{0,12}-(0|[1-9]\d{0,3})$/;

/** Where an id stands: larger is later. */
function placeOf(id) {
  assert.match(id, ID);
  const [ms, n] = id.split('-').map(Number);
  assert(n < PER_MS, `${id}: its second part must be below ${PER_MS}`);
  return ms * PER_MS + n;
}

class Probe {
  /** @param {object} adapter */
  constructor(adapter) {
    this.process = randomBytes(16).toString('base64url');
    this.told = []; // ['started', id], ['received', ids], ['lost', id], ['state', name]
    this.entries = [];
    this.answers = [];
    this.problems = [];
    this.next = 1; // number of a send
    this._isBusy = false;
    this._isClosed = false;
    this._held = null;
    this.link = adapter.open({
      process: this.process,
      started: (id) => this._tell('started', id),
      received: (entries) => this._receive(entries),
      passed: () => false,
      lost: (id) => this._tell('lost', id),
      answered: (text) => {
        this._tell('answered', text);
        this.answers.push(text);
      },
      state: (name, error) => this._tell('state', name, error),
    });
  }

  /** The link has told where it begins, and that there is an engine. */
  async ready() {
    await this.until(() => this.ofKind('state').some(([, name]) => name === 'ready'), 'ready');
    return this;
  }

  until(condition, what, ms = 8_000) {
    return when(() => condition(this), what, ms);
  }

  ofKind(kind) {
    return this.told.filter(([name]) => name === kind);
  }

  get startedAt() {
    return placeOf(this.ofKind('started')[0][1]);
  }

  _tell(...what) {
    if (this._isClosed) this.problems.push(`told after close(): ${what[0]}`);
    if (what[0] === 'lost' && this._isBusy) this.problems.push('lost() within received()');
    this.told.push(what);
  }

  async _receive(entries) {
    if (this._isBusy) this.problems.push('received() within received()');
    if (entries.length === 0) this.problems.push('received() with nothing');
    this._isBusy = true;
    await null;
    this._tell(
      'received',
      entries.map(({ id }) => id),
    );
    await this._held;
    // Bytes may be the adapter's own buffer: whoever keeps them copies them.
    for (const { id, number, head, data } of entries)
      this.entries.push({ id, number, head, data: Buffer.from(data) });
    this._isBusy = false;
    return true; // all of it is of use
  }

  /** The hub has no room: what comes next has to wait until the function that this answers is called. */
  hold() {
    let go;
    this._held = new Promise((resolve) => {
      go = resolve;
    });
    return () => {
      this._held = null;
      go();
    };
  }

  /**
   * One batch, with a number of its own.
   * @param {...(string|{head: string, data: Uint8Array})} sends
   * @returns {Promise<string[]>}
   */
  publish(...sends) {
    const first = this.next;
    this.next += sends.length;
    return this.publishAs(first, ...sends);
  }

  publishAs(first, ...sends) {
    return this.link.publish(
      first,
      sends.map((send) => (typeof send === 'string' ? { head: '{}', data: bytes(send) } : send)),
    );
  }

  /** What has come, as text. */
  get texts() {
    return this.entries.map(({ data }) => String(data));
  }

  async close() {
    if (this._isClosed) return;
    await this.link.close();
    this._isClosed = true;
  }

  /** What each link must have done, whatever else was tested. */
  check() {
    assert.deepEqual(this.problems, []);
    const first = this.told.find(([kind]) => kind !== 'state');
    if (first !== undefined) assert.equal(first[0], 'started');
    assert(this.ofKind('started').length <= 1, 'started() more than once');
    let last = this.told.length > 0 && first !== undefined ? this.startedAt : 0;
    for (const [kind, what] of this.told) {
      if (kind === 'lost') {
        assert(placeOf(what) >= last, 'lost() goes back');
        last = placeOf(what);
      }
      for (const id of kind === 'received' ? what : []) {
        assert(placeOf(id) > last, `${id} came behind a later one`);
        last = placeOf(id);
      }
    }
  }
}

/** A copy: one send's bytes must not be another one's. */
function bytes(text) {
  return new Uint8Array(Buffer.from(text));
}

module.exports = { Probe, bytes, placeOf };
