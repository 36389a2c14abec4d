'use strict';

// A session is a client of the hub, by another name. What it is made of is in lib/compat/links.js.

const { EventEmitter } = require('node:events');
const { randomUUID } = require('node:crypto');
const { codecOf } = require('./codec');
const { detachable } = require('./detachable');
const { EventBuffer } = require('./event-buffer');
const { linkOf } = require('./links');
const { SseError } = require('./sse-error');
const sources = require('./sources');

const RETRY = 2_000;
const KEEP_ALIVE = 10_000;
const HIGH_BYTES = 64 * 1024; // where `client.send` begins to answer false

let moment = 0;

/** Sends of sessions and channels in their order, so that a session knows which id came last. */
function nextMoment() {
  return ++moment;
}

function notConnected() {
  return new SseError('a session must be connected to be sent something');
}

/** Listeners of `push` are told by the channels, too. */
function watchesPush(name) {
  const add = EventEmitter.prototype[name];
  return function on(event, listener) {
    if (event === 'push') for (const channel of this._channels.keys()) channel._watched.add(this);
    return add.call(this, event, listener);
  };
}

class Session extends EventEmitter {
  constructor(...args) {
    super();
    this.setMaxListeners(Infinity);
    const { link, options } = linkOf(args);
    const {
      trustClientEventId = true,
      retry = RETRY,
      keepAlive = KEEP_ALIVE,
      state = {},
    } = options;
    this.isConnected = false;
    this.state = state;
    this.client = null;
    this._link = link;
    this._codec = codecOf(options);
    this._failed = undefined; // rejects createSession
    this._channels = new Map(); // channel → the moment at which it was registered
    this._last = { id: trustClientEventId ? link.lastEventId : '', moment: 0 };
    link.prepare({ retry: retry || false, heartbeat: keepAlive ?? false });
    setImmediate(() => this._connect(retry));
  }

  _connect(retry) {
    try {
      this.client = this._link.open();
    } catch (err) {
      if (this._failed === undefined) throw err;
      this._failed(err);
      return;
    }
    const { client } = this;
    if (retry === 0) client.retry(retry);
    if (this._link.padding > 0) client.comment(' '.repeat(this._link.padding));
    this.isConnected = true;
    this._failed = undefined;
    // One that is over already: behind what the application does with it first, as if the peer had left just then.
    if (client.closed !== null) setImmediate(() => this._disconnected());
    else client.on('close', () => this._disconnected());
    this.emit('connected');
  }

  _disconnected() {
    this.isConnected = false;
    this._link.closed();
    this.emit('disconnected');
  }

  get lastId() {
    return this._latest().id;
  }

  _latest() {
    let latest = this._last;
    for (const [{ _last }, since] of this._channels) {
      if (_last.moment > since && _last.moment > latest.moment) latest = _last;
    }
    return latest;
  }

  getRequest() {
    return this._link.request;
  }

  getResponse() {
    return this._link.response;
  }

  push(data, eventName = 'message', eventId = randomUUID()) {
    if (!this.isConnected) throw notConnected();
    this.client.send(...this._codec.event(data, eventName, eventId));
    this._sent(data, eventName, eventId);
    return this;
  }

  _sent(data, eventName, eventId) {
    this._last = { id: eventId, moment: nextMoment() };
    this.emit('push', data, eventName, eventId);
  }

  stream(source, options) {
    return sources.stream(this, source, options);
  }

  iterate(iterable, options) {
    return sources.iterate(this, iterable, options);
  }

  /** Waits until its reader has taken most of what was sent. @throws {SseError} it has left instead */
  async _room() {
    if (this.client.bufferedBytes <= HIGH_BYTES || (await this.client.drain())) return;
    throw notConnected();
  }

  async batch(batcher) {
    if (batcher instanceof EventBuffer) {
      this._flush(batcher);
      return;
    }
    const buffer = new EventBuffer({
      serializer: this._codec.serialize,
      sanitizer: this._codec.sanitize,
    });
    await batcher(buffer);
    this._flush(buffer);
  }

  _flush(buffer) {
    if (this.isConnected) buffer._sendTo(this.client);
  }

  // ---- for channels ----

  _enter(channel, room) {
    this._channels.set(channel, nextMoment());
    this.client.join(room);
    if (this.listenerCount('push') > 0) channel._watched.add(this);
  }

  _exit(channel, room) {
    this._last = this._latest();
    this._channels.delete(channel);
    this.client.leave(room);
  }
}

for (const name of ['on', 'addListener', 'prependListener', 'once', 'prependOnceListener']) {
  Session.prototype[name] = watchesPush(name);
}

detachable(Session, ['getRequest', 'getResponse', 'push', 'stream', 'iterate', 'batch']);

function createSession(...args) {
  return new Promise((resolve, reject) => {
    const session = new Session(...args);
    if (session._link.isLazy) {
      resolve(session); // its Response has to be returned before anything can happen
      return;
    }
    session._failed = reject;
    session.once('connected', () => resolve(session));
  });
}

function createResponse(...args) {
  const callback = args.pop();
  if (typeof callback !== 'function') {
    throw new SseError('the last argument of createResponse must be a function');
  }
  const session = new Session(...args);
  session.once('connected', () => callback(session));
  return session.getResponse();
}

module.exports = { Session, createResponse, createSession, nextMoment };
