'use strict';

// A hub on an adapter: what is sent travels to the engine, and comes back in the order in which the engine has put it, from
// this process and from all others. Only then it is given to clients here. docs/adapters.md has the contract.

const errors = require('../errors');
const { newId } = require('../id');
const { posted, tell } = require('../loop');
const { headOf, isHeard, targetFrom } = require('./address');
const { Heads } = require('./heads');
const { seqOf } = require('./ids');
const { Questions, pageOf } = require('./presence');
const { Recoveries } = require('./recovery');
const { Sender } = require('./sender');
const { RETRY } = require('../stream-options');

const USER_RETRY_FACTOR = 10; // tabs must not push each other out in turns
const HEARD = 4_096; // processes whose last number is remembered
const BUSY = 20; // ms; between two attempts to give clients an event for which the hub has no room

/** Waits, but not for longer than so many ms. */
async function within(promise, ms) {
  let timer;
  const late = new Promise((resolve) => {
    timer = setTimeout(resolve, ms);
  });
  await Promise.race([promise, late]);
  clearTimeout(timer);
}

/** An error that no waiting mends. */
const foreign = (message, cause) =>
  Object.assign(errors.adapter(message, cause), { isFinal: true });

class Traffic {
  /**
   * @param {object} hub
   * @param {{open: (host: object) => object, maxPendingBytes: number}} adapter
   */
  constructor(hub, adapter) {
    this._hub = hub;
    this.process = newId();
    this.state = 'connecting'; // 'ready', 'down'
    this._tailIs = { state: 'connecting', error: undefined };
    this._refusal = null; // why the engine took nothing, the last time
    this.tail = 0; // the last event that came, as a number
    this._tickets = new Map(); // Pending → Ticket, until it has a number
    this._own = new Map(); // number of a send of this process → { ticket, send }
    this._heard = new Map(); // process → { number } of its send that came last
    this._heads = new Heads(this.process);
    this._targets = new WeakMap(); // what an event's head says → Target
    this._isOfUse = false; // something of what came last, to somebody here
    this._isAwaited = false; // something that waits to be sent is for somebody here
    this._worst = undefined; // what has been told of an error that waiting does not mend
    this._closed = null;
    this._questions = new Questions(this);
    this._recoveries = new Recoveries(this, hub);
    const publish = (first, sends) => this._publish(first, sends);
    this._sender = new Sender(publish, adapter.maxPendingBytes, (err) => this._answered(err));
    this._link = adapter.open(this._host());
  }

  /** What the adapter is given of this hub. */
  _host() {
    return {
      process: this.process,
      started: (id) => this._started(id),
      received: (entries) => this._received(entries),
      passed: (heads, id) => this._passed(heads, id),
      lost: (id) => this._lost(id),
      answered: (text) => this._questions.answered(text),
      state: (state, error) => this._told(state, error),
    };
  }

  // ---- out ----

  /**
   * An event, from here to all processes.
   * @returns {Pending} not yet accepted
   */
  send(target, data, fields, isKept, ticket) {
    const head = this._heads.of(target, fields, isKept);
    const pending = this._sender.add(head, data, isKept, fields.id);
    if (!this._isAwaited) this._isAwaited = ticket !== null || target._matched() > 0;
    if (ticket !== null) this._ask(pending, ticket);
    return pending;
  }

  /** A command for the clients of a target, wherever they are. */
  tell(target, verb, argument, data = '') {
    const head = this._heads.ofCommand(target, verb, argument);
    return this._sender.add(head, data, false, undefined);
  }

  // ---- who is there ----

  presence(target, page) {
    return this._questions.ask(target, page);
  }

  /** Put to all processes. Resolves when it is on its way. */
  ask(target, question) {
    return this.tell(target, 'ask', question).accepted;
  }

  processes() {
    return this._link.processes();
  }

  _answer(target, { s }, { number, limit, after }) {
    const page = pageOf(target._members(), { limit, after });
    const answer = JSON.stringify({ number, process: this.process, page });
    // Who asks does not wait for ever; and why there is no answer, the hub's `adapter` event tells.
    this._link.answer(s, answer).catch((err) => this._mention(err));
  }

  /** Is that one too many for its user? The engine knows of those in other processes, and answers later. */
  entered(client) {
    this._count(client.user)?.then((isFine) => {
      if (isFine || client._closing !== null) return;
      const { min, max } = this._hub._options.retry ?? RETRY;
      client._greet(Math.round((min + Math.random() * (max - min)) * USER_RETRY_FACTOR));
      client._beginClose('capacity');
    });
  }

  left({ user }) {
    this._count(user);
  }

  /** Without an answer everybody is let in: the hub's `adapter` event tells why there is none. */
  _count(user) {
    const { clientsPerUser } = this._hub._options.limits;
    if (clientsPerUser === Infinity || this._closed !== null) return null;
    const count = this._hub._perUser.get(user) ?? 0;
    return this._link.admit(user, count, clientsPerUser).catch((err) => {
      this._mention(err);
      return true;
    });
  }

  /** A delivery is counted when the event is back; if it is refused, whoever asked is told. */
  _ask(pending, ticket) {
    this._tickets.set(pending, ticket);
    ticket.travels();
    pending.accepted.catch((err) => {
      this._tickets.delete(pending);
      ticket.refused(err);
    });
  }

  async _publish(first, sends) {
    if (this._tickets.size > 0) this._number(first, sends);
    const isAwaited = this._isAwaited;
    this._isAwaited = false;
    const ids = await this._link.publish(first, sends);
    if (isAwaited) this._link.hurry?.();
    return ids;
  }

  /** Deliveries are known by their numbers from here on. */
  _number(first, sends) {
    for (const [i, send] of sends.entries()) {
      const ticket = this._tickets.get(send);
      if (ticket === undefined) continue;
      this._tickets.delete(send);
      this._own.set(first + i, { ticket, send });
      send.accepted.then(
        () => this._isMissed(first + i),
        () => this._own.delete(first + i),
      );
    }
  }

  /** What was accepted, and is gone before it has come back: nobody here gets it. */
  _isMissed(number) {
    const { ticket, send } = this._own.get(number) ?? {};
    if (ticket === undefined || !(seqOf(send.outcome?.place) <= this.tail)) return;
    this._own.delete(number);
    send.accepted.then((id) => ticket.nobody(id));
  }

  // ---- in ----

  /** The tail stands behind this id: earlier events never come by it. */
  _started(id) {
    this._restart(seqOf(id));
    this._recoveries.moved();
  }

  _restart(seq) {
    const hub = this._hub;
    this.tail = seq;
    hub._seq = seq;
    if (hub._options.history === null) return;
    hub._start();
    hub._native.restart(seq);
    posted();
  }

  /**
   * What comes next. Resolves when the next ones may come, with whether anybody here had a use for one of these; the adapter waits
   * for that.
   * @param {{id: string, number: number, head: string, data: Uint8Array}[]} entries
   */
  async _received(entries) {
    this._isOfUse = false;
    for (const entry of entries) {
      const head = headOf(entry);
      const seq = seqOf(entry.id);
      if (head === null) this._mention(foreign(`the event ${entry.id} is not one of fanline`));
      else if (this._isNew(head, entry))
        while (!this._give(entry, head, seq)) await new Promise((go) => setTimeout(go, BUSY));
      this.tail = seq;
    }
    this._recoveries.moved();
    return this._isOfUse;
  }

  /**
   * May what has come be passed over? It is for nobody here, and is not kept here then.
   * @param {{head: string, seq: number}[]} passed each head once, with its last number
   */
  _passed(passed, id) {
    const heads = passed.map(headOf);
    if (!heads.every((head) => head !== null && this._isForNobody(head))) return false;
    for (const [i, head] of heads.entries())
      if (head.h === 1) this._recoveries.passed(head.t, passed[i].seq);
    this.tail = seqOf(id);
    this._hub._seq = this.tail;
    this._recoveries.moved();
    return true;
  }

  _isForNobody({ t, v, s }) {
    const isOwn = s === this.process && this._own.size > 0;
    return v === undefined && !isOwn && !isHeard(this._hub, t);
  }

  /**
   * An engine that has lost its last moments is sent again what it had accepted already, and what was on its way: some of that
   * has come here before.
   */
  _isNew({ s }, { number }) {
    const last = this._heard.get(s);
    if (last === undefined) {
      this._heard.set(s, { number });
      if (this._heard.size > HEARD) this._heard.delete(this._heard.keys().next().value);
      return true;
    }
    if (number <= last.number) return false;
    last.number = number;
    return true;
  }

  /** Equal heads are one object, and a Target means whoever is there when it is used; only clients are looked up before. */
  _targetOf(head) {
    let target = this._targets.get(head);
    if (target === undefined) {
      target = targetFrom(this._hub, head.t, this._hub._makeTarget);
      if (head.t.x === undefined) this._targets.set(head, target);
    }
    return target;
  }

  /** @returns {boolean} false: the hub has no room now; nobody has been given anything */
  _give(entry, head, seq) {
    const hub = this._hub;
    if (hub._isClosed) return true;
    const ticket = this._ticketOf(head, entry.number);
    try {
      const target = this._targetOf(head);
      if (head.v === 'ask') this._answer(target, head, head.o);
      else if (head.v !== undefined) this._obey(target, head, entry.data);
      else this._publishHere(target, entry, head, seq, ticket);
    } catch (err) {
      if (err.code === 'ERR_FAN_FULL') return false;
      // Larger than this hub allows, or what it does not know: other processes have other limits, and other versions.
      const what = head.v === undefined ? "can't be sent here" : 'is a command of no use here';
      this._mention(foreign(`the event ${entry.id} ${what}: ${err.message}`, err));
      ticket?.refused(err);
      if (head.v === undefined) this._lost(entry.id);
    }
    if (ticket !== null || head.v !== undefined) this._isOfUse = true;
    if (ticket !== null) this._own.delete(entry.number);
    return true;
  }

  _publishHere(target, { id, data }, head, seq, ticket) {
    const isKept = head.h === 1 && this._hub._options.history !== null;
    const fields = { event: head.e, id: isKept ? id : head.i, retry: head.r, key: head.k };
    if (target._publish(data, fields, isKept ? seq : 0, ticket) > 0) this._isOfUse = true;
  }

  _ticketOf({ s }, number) {
    return s === this.process ? (this._own.get(number)?.ticket ?? null) : null;
  }

  /** A command has come, perhaps from another process: what a client here can't follow is nobody's mistake here. */
  _obey(target, { v, o }, data) {
    for (const client of target.clients()) {
      if (v === 'leave') client._leave(o);
      else if (v === 'close') this._closeHere(client, o, data);
      else if (v !== 'join') throw new Error(`it says "${v}"`);
      else if (client._countWith(o) <= this._hub._options.limits.roomsPerClient) client._join(o);
    }
  }

  /** Last words that are longer than this hub allows are not said. */
  _closeHere(client, { event, hasData, reconnect }, text) {
    try {
      client._closeWith({ event, hasData, reconnect, text });
    } catch (err) {
      if (err.code !== 'ERR_FAN_TOO_LARGE') throw err;
      client._closeWith({ hasData: false, reconnect });
    }
  }

  /** Some events are gone that never came: everybody here may have missed one, and is told. */
  _lost(id) {
    this._restart(seqOf(id));
    for (const number of [...this._own.keys()]) this._isMissed(number);
    for (const client of [...this._hub.clients.values()]) this._recoveries.reset(client, 'expired');
    this._recoveries.moved();
  }

  // ---- how the engine is ----

  /** The adapter says so of what it reads. */
  _told(state, error) {
    this._tailIs = { state, error };
    if (state === 'ready') {
      if (this._sender.isIdle) this._refusal = null; // it has refused for good, and nothing waits that could tell more
      this._sender.again();
    }
    this._tellState();
  }

  /** It has taken something, or refused it. */
  _answered(err) {
    this._refusal = err;
    this._tellState();
  }

  /** Something failed that changes nothing for what is sent: the adapter tells of an engine that is gone. */
  _mention(err) {
    if (this._closed !== null || err.isFinal !== true || err.message === this._worst) return;
    this._worst = err.message;
    tell(this._hub, 'adapter', { state: this.state, error: err });
  }

  _tellState() {
    const { state, error } =
      this._refusal === null ? this._tailIs : { state: 'down', error: this._refusal };
    const isWorse = error?.isFinal === true && error.message !== this._worst;
    if (this._closed !== null || (state === this.state && !isWorse)) return;
    this.state = state;
    this._worst = error?.isFinal ? error.message : undefined;
    tell(this._hub, 'adapter', error === undefined ? { state } : { state, error });
  }

  // ---- clients that come back ----

  /** See recovery.js. */
  get recoveries() {
    return this._recoveries;
  }

  read(after, count) {
    return this._link.read(after, count);
  }

  // ---- the end ----

  /** Resolves when what was sent until now has come back, but not later than after so many ms. */
  async settled(patience) {
    const back = this._sender
      .idle()
      .then(() => this._recoveries.reached(seqOf(this._sender.last ?? '0-0')));
    await within(back, patience);
  }

  /** Nothing more is sent. Resolves when the engine is let go of; what waits has had `patience` ms. */
  close(patience) {
    this._closed ??= this._close(patience);
    return this._closed;
  }

  async _close(patience) {
    await within(this._sender.idle(), patience);
    this._questions.close();
    this._sender.close(errors.closed('hub'));
    await this._link.close();
  }
}

module.exports = { Traffic };
