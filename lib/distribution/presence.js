'use strict';

// Who is there, in all processes: each is asked, and answers for its own clients, so that nothing has to be kept anywhere, and
// whoever has died says nothing. What is asked travels with the events; the answer goes straight to the one who asks.

const errors = require('../errors');

const PATIENCE = 2_000; // ms; whoever has not answered by then is taken for dead

/**
 * A page of the clients of one process, in the order of their ids.
 * @param {Iterable<object>} members clients
 * @param {{limit: number, after: string}} page
 * @returns {{size: number, clients: {id: string, user?: string}[]}}
 */
function pageOf(members, { limit, after }) {
  const found = [];
  let size = 0;
  for (const { id, user, _closing } of members) {
    if (_closing !== null) continue;
    size++;
    if (limit > 0 && id > after) found.push({ id, user });
  }
  found.sort((a, b) => (a.id < b.id ? -1 : 1));
  return { size, clients: found.slice(0, limit) };
}

/** The pages of all processes as one. */
function merged(pages, limit) {
  const size = pages.reduce((sum, page) => sum + page.size, 0);
  const clients = pages.flatMap((page) => page.clients);
  clients.sort((a, b) => (a.id < b.id ? -1 : 1));
  const isMore = clients.length > limit || pages.some((page) => page.clients.length === limit);
  const shown = clients.slice(0, limit);
  return { size, clients: shown, next: limit > 0 && isMore ? (shown.at(-1)?.id ?? null) : null };
}

/** Questions that were put to all processes, and their answers. */
class Questions {
  /** @param {object} traffic */
  constructor(traffic) {
    this._traffic = traffic;
    this._open = new Map(); // number → { page, missing: Set of processes (null: not yet asked), pages, resolve, reject, timer }
    this._last = 0;
  }

  /**
   * @param {object} target
   * @param {{limit: number, after: string}} page
   */
  ask(target, page) {
    const number = ++this._last;
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => this._late(number), PATIENCE);
      this._open.set(number, { page, missing: null, pages: [], resolve, reject, timer });
      this._put(number, target).catch((err) => this._fail(number, err));
    });
  }

  /** To all who are alive. */
  async _put(number, target) {
    const processes = await this._traffic.processes();
    const question = this._open.get(number);
    if (question === undefined) return; // it is late, or the hub has closed
    question.missing = new Set(processes);
    await this._traffic.ask(target, { number, ...question.page });
  }

  /** @param {string} text of another process */
  answered(text) {
    const { number, process, page } = JSON.parse(text);
    const question = this._open.get(number);
    if (!question?.missing?.delete(process)) return;
    question.pages.push(page);
    if (question.missing.size === 0) this._settle(number);
  }

  /** Whoever has not answered is dead. But this process is not: without its own answer nothing has come back. */
  _late(number) {
    const { missing } = this._open.get(number);
    if (missing !== null && !missing.has(this._traffic.process)) this._settle(number);
    else this._fail(number, errors.adapter(`The engine has not answered within ${PATIENCE} ms`));
  }

  _settle(number) {
    const { page, pages, resolve } = this._open.get(number);
    this._forget(number);
    resolve(merged(pages, page.limit));
  }

  _fail(number, error) {
    const question = this._open.get(number);
    this._forget(number);
    question?.reject(error);
  }

  _forget(number) {
    clearTimeout(this._open.get(number)?.timer);
    this._open.delete(number);
  }

  close() {
    const error = errors.closed('hub');
    for (const number of [...this._open.keys()]) this._fail(number, error);
  }
}

module.exports = { Questions, merged, pageOf };
