'use strict';

// One open event stream, as JavaScript sees it. What it sends is posted to the loop; how far that got is told by reports.

const { emitsClose } = require('./close-event');
const errors = require('./errors');
const { checkSize, refusal, serialized } = require('./encode');
const { clients, posted, REASON, tell } = require('./loop');
const { closeOptions, names, sendOptions } = require('./options');
const { fenceId } = require('./fence');
const history = require('./history');
const { newId } = require('./id');
const { pipe } = require('./pipe');
const roomNames = require('./room-names');
const { hasGivenUp } = require('./socket');

const HIGH_BYTES = 64 * 1024; // beyond this `send` answers false
const RETRY_MAX = 2 ** 31 - 1;
const NO_OPTS = Object.freeze({});

class Client {
  /**
   * @param {object} hub
   * @param {object} settings checked: see options.connectOptions
   * @param {object} request `{ method, lastEventId }`
   */
  constructor(hub, settings, request) {
    this.id = newId();
    this.user = settings.user;
    this.data = settings.data;
    this.lastEventId = settings.lastEventId ?? request.lastEventId;
    this.closed = null;
    this._hub = hub;
    this._number = 0; // in the loop; 0: never opened
    this._method = request.method;
    this._transport = settings.transport ?? hub._options.transport;
    this._rooms = null; // see room-names.js
    this._untold = null; // rooms that it is in since connect, and `join` has yet to be told
    this._takeover = null;
    this._closing = null; // the reason, as soon as the end has begun
    this._posted = 0; // cost of all frames sent to this client alone
    this._taken = 0; // of these, what the loop had taken in at its last report
    this._begun = 0; // number of the last event that was kept when it connected
    this._queued = 0; // bytes that waited at its last report
  }

  get rooms() {
    this._rooms = roomNames.asSet(this._rooms); // its own, and whoever has it sees what changes
    return this._rooms;
  }

  get transport() {
    return this._takeover?.transport ?? 'opening';
  }

  get bufferedBytes() {
    return this.closed === null ? this._queued + this._posted - this._taken : 0;
  }

  get signal() {
    if (this._controller === null) {
      this._controller = new AbortController();
      if (this.closed !== null) this._controller.abort();
    }
    return this._controller.signal;
  }

  // ---- sending ----

  send(data, opts) {
    const hub = this._hub;
    const fields =
      opts === undefined ? undefined : sendOptions(opts, hub._options.history !== null);
    if (this._closing !== null) return false;
    this._send(serialized(hub._options.serialize, data), fields);
    hub._sends++;
    return this._hasRoom();
  }

  comment(text = '') {
    if (typeof text !== 'string') throw errors.argError('text', 'a string', text);
    if (this._closing !== null) return;
    this._account(this._hub._native.comment(this._number, text), text, undefined);
  }

  retry(ms) {
    if (typeof ms !== 'number') throw errors.argError('ms', 'a number', ms);
    if (!Number.isInteger(ms) || ms < 0 || ms > RETRY_MAX) {
      throw errors.rangeError('ms', `an integer from 0 to ${RETRY_MAX} (ms)`, ms);
    }
    if (this._closing !== null) return;
    this._account(this._hub._native.retry(this._number, ms), '', undefined);
  }

  drain() {
    if (this._closing !== null) return Promise.resolve(false);
    if (this._hasRoom()) return Promise.resolve(true);
    return new Promise((resolve) => {
      this._drains ??= [];
      this._drains.push(resolve);
    });
  }

  pipe(source, opts) {
    return pipe(this, source, opts);
  }

  /** The first line of a stream, or the last advice: never refused for want of room. ms; null: an empty comment. */
  _greet(ms) {
    this._account(this._hub._native.greet(this._number, ms ?? -1), '', undefined);
  }

  /** Without checks: `opts.event` may be ours. */
  _send(text, opts, id = opts?.id) {
    const { event, retry, key } = opts ?? NO_OPTS;
    const cost = this._hub._native.send(this._number, text, event, id, retry, key);
    this._account(cost, text, opts);
  }

  _sendText(bytes) {
    this._account(this._hub._native.text(this._number, bytes), bytes, undefined);
  }

  /** @returns {Error|null} */
  _sendVerbatim(bytes) {
    const cost = this._hub._native.verbatim(this._number, bytes);
    if (cost < 0) return refusal(cost, bytes, undefined, this._hub._options.limits);
    this._posted += cost;
    posted();
    return null;
  }

  _account(cost, text, opts) {
    if (cost < 0) throw refusal(cost, text, opts, this._hub._options.limits);
    this._posted += cost;
    posted();
  }

  _hasRoom() {
    return this.bufferedBytes <= HIGH_BYTES;
  }

  // ---- rooms ----

  join(rooms) {
    const wanted = names(rooms, 'rooms');
    this._checkJoin(wanted);
    return this._join(wanted);
  }

  leave(rooms) {
    return this._leave(names(rooms, 'rooms'));
  }

  _checkJoin(wanted) {
    if (!this._hub._hasRooms) {
      throw errors.refusedArg('rooms', 'a client of sse() has no rooms: use createHub');
    }
    const { roomsPerClient } = this._hub._options.limits;
    const total = this._countWith(wanted);
    if (total <= roomsPerClient || this._closing !== null) return;
    throw errors.rangeError('rooms', `at most limits.roomsPerClient (${roomsPerClient})`, total);
  }

  _countWith(wanted) {
    let count = roomNames.sizeOf(this._rooms);
    for (const name of wanted) if (!roomNames.has(this._rooms, name)) count++;
    return count;
  }

  _join(wanted) {
    for (const name of wanted) {
      if (this._closing !== null) break; // also by a listener
      if (roomNames.has(this._rooms, name)) continue;
      this._enter(name);
      tell(this._hub, 'join', this, name);
    }
    return this;
  }

  _enter(name) {
    const hub = this._hub;
    this._rooms = roomNames.added(this._rooms, name);
    hub._native.join(this._number, hub._rooms.add(name, this));
    hub._traffic?.recoveries.joined(this, name);
    posted();
  }

  /** In these rooms from the start; the hub is told after it has been told of the client. */
  _enterAll(rooms) {
    for (const name of rooms) this._enter(name);
    if (rooms.length > 0) this._untold = new Set(rooms);
  }

  _tellJoins() {
    if (this._untold === null) return;
    for (const name of [...this._untold]) {
      if (this._closing !== null) return;
      if (this._untold.delete(name)) tell(this._hub, 'join', this, name);
    }
    this._untold = null;
  }

  _leave(unwanted) {
    const hub = this._hub;
    for (const name of unwanted) {
      if (this._closing !== null) break;
      if (!roomNames.has(this._rooms, name)) continue;
      this._rooms = roomNames.removed(this._rooms, name);
      hub._native.leave(this._number, hub._rooms.remove(name, this));
      posted();
      if (!this._untold?.delete(name)) tell(hub, 'leave', this, name);
    }
    return this;
  }

  // ---- the end ----

  close(opts) {
    const { data, ...end } = closeOptions(opts);
    const text = end.hasData ? serialized(this._hub._options.serialize, data) : undefined;
    this._closeWith({ ...end, text });
  }

  /** @param {{event: string|undefined, text: string|Uint8Array|undefined, hasData: boolean, reconnect: boolean}} end */
  _closeWith(end) {
    const last = this._lastEvent(end);
    if (this._closing !== null || !this._flushText()) return;
    if (last !== null) this._send(last.text, last, last.id);
    this._beginClose('server');
  }

  /** The event that a close sends: what was given, and what keeps an EventSource away for good. */
  _lastEvent({ event, text, hasData, reconnect }) {
    if (!hasData && reconnect) return null;
    const last = {
      text: hasData ? text : 'fanline:end',
      event: event ?? (hasData ? undefined : 'fanline:end'),
      id: !reconnect && this._method === 'GET' ? fenceId() : undefined,
    };
    checkSize(last.text, last, this._hub._options.limits.eventBytes);
    return last;
  }

  /** Text that waits for its blank line goes as it is. False: it does not fit, and the stream was cut, so that its reader knows. */
  _flushText() {
    if (this._takeover.flushText()) return true;
    this._takeover.fail('error');
    return false;
  }

  /** From now on nothing more is taken; what is queued is still written. */
  _beginClose(reason) {
    if (this._closing !== null || !this._flushText()) return;
    this._closing = reason;
    this._hub._native.close(this._number, REASON[reason]);
    posted();
    this._hub._depart(this);
    this._hub._tellDeparture(this);
  }

  /** The stream is over: nothing can come from the loop any more. */
  _finish(reason, drop = null) {
    if (this.closed !== null) return;
    const departed = this._closing !== null;
    this._closing ??= reason;
    this.closed = this._closing;
    if (!this._hasLast) clients.delete(this._number);
    if (!departed) this._hub._depart(this);
    this._hub._forget(this);
    this._settleDrains(false);
    this._controller?.abort();
    if (drop !== null) tell(this._hub, 'drop', this, drop);
    if (!departed) this._hub._tellDeparture(this);
    if (this._cause === undefined) tell(this, 'close', this.closed);
    else tell(this, 'close', this.closed, this._cause);
    this._hub._tellEnd(this, this._cause);
  }

  /** Ends it at once because something of the application has failed. */
  _fail(err) {
    if (this._closing !== null) return;
    this._cause = err;
    this._takeover.fail('error');
  }

  /** The loop need not care any more; but it has a last word, which tells what was dropped by then. */
  _kill(reason) {
    this._hasLast = !this._isOut;
    if (!this._hasLast) return;
    this._hub._lastWords++;
    this._hub._native.evict(this._number, REASON[reason]);
    posted();
  }

  /** The loop had the last word on it. */
  _hadLast() {
    clients.delete(this._number);
    this._hub._lastWords--;
    this._hub._heard();
  }

  /** connect() failed: it goes as if it had never been. */
  _discard() {
    this._refuse('error');
    clients.delete(this._number);
    this._hub._depart(this);
    this._hub._remove(this);
    this._hub._shutdown?.left(this);
  }

  /** Never opened: over before it began. */
  _refuse(reason) {
    this._closing = reason;
    this.closed = reason;
  }

  _settleDrains(answer) {
    const drains = this._drains;
    if (drains === null) return;
    this._drains = null;
    for (const resolve of drains) resolve(answer);
  }

  // ---- what the loop tells (see lib/loop.js) ----

  _reported(queued, taken) {
    this._queued = queued;
    this._taken = taken;
    if (!this._hasRoom()) return;
    this._settleDrains(true);
    this._takeover.drained();
  }

  _relay(bytes) {
    this._takeover.relay.take(bytes);
  }

  _released(reason, bytes, events) {
    this._isOut = true;
    if (this.closed !== null) {
      if (events > 0) this._dropped(reason, bytes, events);
      this._hadLast();
      return;
    }
    const begun = this._closing !== null;
    this._closing ??= reason; // the loop itself ended it: idle, lifetime
    if (!begun) this._hub._depart(this);
    this._takeover.released();
    if (events > 0) this._dropped(reason, bytes, events); // what waited behind a snapshot that was not through
    if (!begun) this._hub._tellDeparture(this);
  }

  _dropped(reason, bytes, events) {
    tell(this._hub, 'drop', this, { reason, events, bytes });
  }

  _wasReset() {
    history.wasReset(this);
  }

  _evicted(told, bytes, events) {
    const reason = told === 'client' && hasGivenUp(this._takeover.socket) ? 'stalled' : told;
    const drop = events > 0 && reason !== 'client' ? { reason, events, bytes } : null;
    if (this.closed !== null) {
      if (drop !== null) tell(this._hub, 'drop', this, drop);
      this._hadLast();
      return;
    }
    this._takeover.evicted();
    this._finish(reason, drop);
  }

  [Symbol.for('nodejs.util.inspect.custom')](_depth, options, inspect) {
    const { id, user, data, rooms, transport, closed } = this;
    return `Client ${inspect({ id, user, data, rooms, transport, closed }, options)}`;
  }
}

/** What most never need, or only at their end, is here until then. */
Object.assign(Client.prototype, {
  _endsConnection: false,
  _drains: null, // resolve functions of drain()
  _cause: undefined, // what has failed, where that ended it
  _isOut: false, // the loop has let it go
  _hasLast: false, // JavaScript has ended it, and the loop has a last word: what was dropped
  _controller: null,
});

emitsClose(Client.prototype);

module.exports = { Client };
