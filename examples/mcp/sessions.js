'use strict';

// Sessions, and the streams of each. A stream of MCP is longer than a connection: one that breaks is resumed by a GET with the id
// of the last event, whichever request the stream began with, and then gets the rest of this stream and of no other. So ids are
// ours, `<stream>-<number>`, and each stream keeps its last messages; the hub has a room for each stream.

const { randomUUID } = require('node:crypto');
const { createHub } = require('fanline');
const { problem } = require('./rpc');

const SESSIONS_MAX = 1_000;
const IDLE_MAX = 30 * 60_000; // ms without a request or a stream
const KEPT_MESSAGES = 100; // of a stream: what is let go of is progress, for the result comes last
const KEPT_STREAMS = 20; // of a session, that are over
const LEVELS = ['debug', 'info', 'notice', 'warning', 'error', 'critical', 'alert', 'emergency'];

const hub = createHub({
  history: false,
  retry: { min: 200, max: 500 }, // somebody waits for an answer
  limits: { lifetime: Number(process.env.LIFETIME) || false }, // clients come back, and miss nothing
});

class Stream {
  constructor(session, number) {
    this.isOver = false;
    this._number = number;
    this._room = `${session.id}/${number}`;
    this._kept = []; // { id, message }
    this._sent = 0;
  }

  get isOpen() {
    return hub.rooms.has(this._room);
  }

  /** Also when nobody is connected: whoever comes back gets it. */
  send(message) {
    const id = `${this._number}-${++this._sent}`;
    this._kept.push({ id, message });
    if (this._kept.length > KEPT_MESSAGES) this._kept.shift();
    hub.to(this._room).send(message, { id });
  }

  /** From the beginning. An event without data tells the id from which the stream can be resumed, before there is a message. */
  connect(req, res, headers, isPrimed) {
    const client = hub.connect(req, res, { rooms: this._room, headers });
    if (isPrimed) client.send('', { id: `${this._number}-${this._sent}` });
  }

  /** Whoever comes back takes the place of a connection of which only we do not know yet that it is gone. */
  resume(req, res, headers, number) {
    const missed = this._kept.filter(({ id }) => Number(id.split('-')[1]) > number);
    if (this.isOver && missed.length === 0) return res.status(204).end();
    hub.to(this._room).disconnect();
    const client = hub.connect(req, res, { rooms: this._room, headers });
    for (const { id, message } of missed) client.send(message, { id }); // in one go with connect(): nothing comes in between
    if (this.isOver) client.close();
  }

  end() {
    this.isOver = true;
    hub.to(this._room).disconnect();
  }
}

class Session {
  constructor(version) {
    this.id = randomUUID();
    this.version = version;
    this.running = new Map(); // id of a request → its AbortController
    this.used = Date.now();
    this._level = 0;
    this._count = 0;
    this._streams = new Map();
    this.notices = this.newStream(); // number 0: what belongs to no request
  }

  newStream() {
    const number = this._count++;
    const stream = new Stream(this, number);
    this._streams.set(number, stream);
    const over = [...this._streams].filter(([, { isOver }]) => isOver);
    if (over.length > KEPT_STREAMS) this._streams.delete(over[0][0]);
    return stream;
  }

  /** The stream of an event, and the number of the event in it. */
  find(eventId) {
    const [, stream, number] = /^(\d{1,15})-(\d{1,15})$/.exec(eventId) ?? [];
    const found = this._streams.get(Number(stream));
    if (!found) throw problem(400, 'No stream has had this event, or it is not kept any more');
    return { stream: found, number: Number(number) };
  }

  setLevel(level) {
    if (!LEVELS.includes(level)) return false;
    this._level = LEVELS.indexOf(level);
    return true;
  }

  log(level, data) {
    if (!LEVELS.includes(level)) throw problem(400, `Levels: ${LEVELS}`);
    if (LEVELS.indexOf(level) < this._level) return;
    this.notices.send({ jsonrpc: '2.0', method: 'notifications/message', params: { level, data } });
  }

  get isIdle() {
    const isOpen = [...this._streams.values()].some((stream) => stream.isOpen);
    return !isOpen && this.running.size === 0 && Date.now() - this.used > IDLE_MAX;
  }

  close() {
    sessions.delete(this.id);
    for (const abort of this.running.values()) abort.abort();
    for (const stream of this._streams.values()) stream.end();
  }
}

const sessions = new Map();

function newSession(version) {
  for (const session of sessions.values()) if (session.isIdle) session.close();
  if (sessions.size >= SESSIONS_MAX) throw problem(503, 'Too many sessions');
  const session = new Session(version);
  sessions.set(session.id, session);
  return session;
}

/** That of a request; its header is all that a request says about it. */
function sessionOf(req) {
  const id = req.get('Mcp-Session-Id');
  if (!id) throw problem(400, 'Mcp-Session-Id is missing');
  const session = sessions.get(id);
  if (!session) throw problem(404, 'No such session: begin with initialize');
  session.used = Date.now();
  return session;
}

module.exports = { hub, newSession, sessionOf, sessions };
