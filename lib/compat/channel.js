'use strict';

// A channel is a room of the hub, for each codec among its sessions: ordinarily one. A broadcast is one send to it; what better-sse
// does for each session (its last id, its `push` event) is looked up when asked for, or done for those alone who listen.

const { EventEmitter } = require('node:events');
const { randomUUID } = require('node:crypto');
const { detachable } = require('./detachable');
const { hub } = require('./hub');
const { Session, nextMoment } = require('./session');
const { SseError } = require('./sse-error');

let count = 0;

class Channel extends EventEmitter {
  constructor({ state = {} } = {}) {
    super();
    this.setMaxListeners(Infinity);
    this.state = state;
    this._number = ++count;
    this._sessions = new Set();
    this._groups = new Map(); // codec → how many have it
    this._watched = new Set(); // sessions that may have listeners of `push`
    this._last = { id: '', moment: 0 }; // of the last broadcast to all
    const channel = this;
    // One for all sessions: a listener is told whose event it is.
    this._onDisconnected = function onDisconnected() {
      channel._disconnected(this);
    };
  }

  get activeSessions() {
    return [...this._sessions];
  }

  get sessionCount() {
    return this._sessions.size;
  }

  register(session) {
    if (this._sessions.has(session)) return this;
    if (!(session instanceof Session) || !session.isConnected) {
      throw new SseError('a session must be connected to be registered');
    }
    this._sessions.add(session);
    this._groups.set(session._codec, (this._groups.get(session._codec) ?? 0) + 1);
    session._enter(this, this._room(session._codec));
    session.on('disconnected', this._onDisconnected);
    this.emit('session-registered', session);
    return this;
  }

  deregister(session) {
    if (!this._sessions.delete(session)) return this;
    const rest = this._groups.get(session._codec) - 1;
    if (rest > 0) this._groups.set(session._codec, rest);
    else this._groups.delete(session._codec);
    this._watched.delete(session);
    session._exit(this, this._room(session._codec));
    session.off('disconnected', this._onDisconnected);
    this.emit('session-deregistered', session);
    return this;
  }

  _disconnected(session) {
    this.emit('session-disconnected', session);
    this.deregister(session);
  }

  _room(codec) {
    return `${this._number}.${codec.number}`;
  }

  broadcast(data, eventName = 'message', { eventId = randomUUID(), filter } = {}) {
    if (filter) this._sendToSome(data, eventName, eventId, filter);
    else this._sendToAll(data, eventName, eventId);
    this.emit('broadcast', data, eventName, eventId);
    return this;
  }

  _sendToAll(data, eventName, eventId) {
    const sends = [];
    for (const codec of this._groups.keys()) {
      sends.push([this._room(codec), codec.event(data, eventName, eventId)]);
    }
    for (const [room, [text, fields]] of sends) hub.to(room).send(text, fields);
    this._last = { id: eventId, moment: nextMoment() };
    for (const session of [...this._watched]) {
      if (session.listenerCount('push') > 0) session.emit('push', data, eventName, eventId);
      else this._watched.delete(session);
    }
  }

  _sendToSome(data, eventName, eventId, filter) {
    const chosen = this.activeSessions.filter((session) => filter(session));
    const groups = new Map();
    for (const { _codec: codec, client } of chosen) {
      if (!groups.has(codec))
        groups.set(codec, { ids: [], event: codec.event(data, eventName, eventId) });
      groups.get(codec).ids.push(client.id);
    }
    for (const { ids, event } of groups.values()) hub.client(ids).send(...event);
    for (const session of chosen) session._sent(data, eventName, eventId);
  }
}

detachable(Channel, ['broadcast']);

function createChannel(...args) {
  return new Channel(...args);
}

module.exports = { Channel, createChannel };
