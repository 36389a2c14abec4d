'use strict';

// From a request to a client: who is let in, who is sent away and how. The answers are chosen so that an EventSource does
// what is meant: 200 and an end brings it back, 204 and every error stop it for good (WHATWG HTML 9.2.3).

const errors = require('./errors');
const { Client } = require('./client');
const { isFenced } = require('./fence');
const history = require('./history');
const { clients, posted, tell } = require('./loop');
const { checkRequest, connectOptions } = require('./options');
const { RETRY } = require('./stream-options');
const { Takeover } = require('./takeover');

const DEFAULT_HEADERS = {
  'Content-Type': 'text/event-stream',
  'Cache-Control': 'no-cache, no-transform',
  'X-Accel-Buffering': 'no',
};
const USER_RETRY_FACTOR = 10; // at clientsPerUser the newcomer loses; tabs must not push each other out in turns

/** Headers of the stream: ours, with the application's over them; null removes one. */
function headersOf(own) {
  const headers = { ...DEFAULT_HEADERS }; // whatever writes them may add to them: each response has its own
  if (own === undefined) return headers;
  for (const name in own) {
    const ours = Object.keys(headers).find((key) => key.toLowerCase() === name.toLowerCase());
    if (ours !== undefined) delete headers[ours];
    if (own[name] !== null) headers[name] = own[name];
  }
  return headers;
}

/** A random time within the range: clients must not come back all at once. */
function jittered(range, factor = 1) {
  return Math.round((range.min + Math.random() * (range.max - range.min)) * factor);
}

/** Has the peer left, or the response been closed, before we came? */
function isGone(req, res) {
  if (res.stream !== undefined) return res.stream.destroyed || res.stream.closed; // HTTP/2
  return res.destroyed || res.closed === true || req.socket?.destroyed === true;
}

// ---- answers that are not streams ----

function endWith(res, status, headers, body) {
  res.statusCode = status;
  for (const name in headers) res.setHeader(name, headers[name]);
  res.end(body);
}

/** 200, a `retry` line and the end: EventSource comes back, later. */
function sendAway(res, range, factor, headers) {
  const retry = jittered(range, factor);
  const body = `retry: ${retry}\n`;
  endWith(res, 200, { ...headers, 'Content-Length': String(body.length) }, body);
}

/** Their callback alone is told. */
function tellRefused(args) {
  const callback = args.find((arg) => typeof arg === 'function');
  if (callback) process.nextTick(callback, errors.writeAfterEnd());
}

function refusedWrite(...args) {
  tellRefused(args);
  return false;
}

function refusedEnd(...args) {
  tellRefused(args);
  return this;
}

function refuse(hub, client, reason, res) {
  // Code from before fanline writes on, whatever `client.closed` says; Node would make that an `error` that nobody listens to.
  res.write = refusedWrite;
  res.end = refusedEnd;
  client._refuse(reason);
  hub._countRefused(reason);
  return client;
}

/** The range of `retry` for this client when a number is needed in any case. */
function rangeOf(hub, settings) {
  return settings.retry ?? hub._options.retry ?? RETRY;
}

function atCapacity(hub, res, settings, headers) {
  const { limits } = hub._options;
  const total = hub.clients.size >= limits.clients;
  const own = (hub._perUser.get(settings.user) ?? 0) >= limits.clientsPerUser;
  if (!total && !own) return false;
  const factor = own ? USER_RETRY_FACTOR : 1;
  const range = rangeOf(hub, settings);
  if (hub._options.atCapacity === 'retry') sendAway(res, range, factor, headers);
  else endWith(res, 503, { 'Retry-After': String(Math.ceil(jittered(range, factor) / 1000)) });
  return true;
}

/** Everything that ends a client before it begins. Answers the reason, or null: it may begin. */
function turnAway(hub, req, res, settings, headers) {
  if (isGone(req, res)) return 'client';
  if (res.headersSent || res.writableEnded) {
    const what = res.writableEnded ? 'it has been ended' : 'perhaps by flushHeaders() or write()';
    throw errors.headersSent(`${what} before connect()`);
  }
  if (req.method === 'HEAD') {
    res.statusCode = 200;
    for (const name in headers) res.setHeader(name, headers[name]);
    res.end();
    return 'server';
  }
  if (req.httpVersionMajor === 1 && res.socket === null) {
    // A pipelined request: another response has the connection, and would have to end first.
    endWith(res, 409, { Connection: 'close', 'Content-Length': '0' });
    return 'server';
  }
  if (isFenced(req)) {
    endWith(res, 204, {});
    return 'server';
  }
  if (hub._shutdown !== null) {
    // Else the connection would be kept, and the browser come back on it to this very process.
    const last = req.httpVersionMajor === 1 ? { Connection: 'close' } : {};
    const session = res.stream?.session;
    if (session) res.once('finish', () => session.close());
    sendAway(res, rangeOf(hub, settings), 1, { ...headers, ...last });
    return 'shutdown';
  }
  return atCapacity(hub, res, settings, headers) ? 'capacity' : null;
}

// ---- streams ----

/** Less up to a tenth: streams that began together must not end together. */
function lifetimeOf(hub, settings) {
  const lifetime = settings.lifetime ?? hub._options.limits.lifetime;
  return Math.ceil(lifetime * (1 - Math.random() * 0.1));
}

/** The client exists in the loop from here on; what is sent to it waits for its sink. */
function open(hub, client, settings) {
  const own = settings.heartbeat;
  const heartbeat = own === undefined ? hub._options.heartbeat : own;
  const event = own === undefined ? undefined : (own?.event ?? null);
  hub._start();
  client._number = hub._native.connect(heartbeat?.interval ?? 0, event, lifetimeOf(hub, settings));
  clients.set(client._number, client);
  hub._admit(client);
  posted();
}

/** The stream opens at once, so that proxies open it too: with `retry`, or an empty comment. */
function greet(hub, client, settings) {
  const range = settings.retry === undefined ? hub._options.retry : settings.retry;
  client._greet(range === null ? null : jittered(range));
}

function checkRooms(hub, { rooms }) {
  const { roomsPerClient } = hub._options.limits;
  if (rooms.length <= roomsPerClient) return;
  const expected = `at most limits.roomsPerClient (${roomsPerClient})`;
  throw errors.rangeError('opts.rooms', expected, rooms.length);
}

/**
 * @param {object} req of Node, or what lib/fetch.js has instead; checked
 * @param {object} res the same
 * @param {object} settings from options.connectOptions
 * @returns {Client} open, or with `closed` set
 * @throws {Error} `ERR_FAN_HEADERS_SENT`
 */
function enter(hub, req, res, settings) {
  checkRooms(hub, settings);
  const lastEventId = req.headers['last-event-id'];
  const client = new Client(hub, settings, { method: req.method, lastEventId });
  const headers = headersOf(settings.headers);
  const reason = turnAway(hub, req, res, settings, headers);
  if (reason !== null) return refuse(hub, client, reason, res);

  client._takeover = new Takeover(client, req, res);
  open(hub, client, settings);
  try {
    client._enterAll(settings.rooms);
    greet(hub, client, settings);
    history.begin(client);
    client._takeover.start(headers);
  } catch (err) {
    client._takeover.abort();
    throw err;
  }
  if (client.closed !== null) return client; // by middleware that hooks into the headers
  tell(hub, 'connect', client);
  client._tellJoins();
  return client;
}

function connect(hub, req, res, settings) {
  checkRequest(req, res);
  return enter(hub, req, res, settings);
}

// ---- middleware ----

/** 204 to who was told to stay away, before anybody is asked. */
function isKeptAway(req, res) {
  if (!isFenced(req) || isGone(req, res) || res.headersSent) return false;
  endWith(res, 204, {});
  return true;
}

/**
 * What decide() has answered.
 * @returns {object|null} settings; null: it was no, and that is what the peer has been told
 */
function decided(req, res, answer) {
  if (answer === null) {
    if (!isGone(req, res)) endWith(res, 401, { 'Content-Length': '0' });
    return null;
  }
  if (answer === undefined) {
    throw errors.argError('decide()', 'answered with options, or with null for 401', answer);
  }
  return connectOptions(answer);
}

function rethrow(err) {
  throw err;
}

function answerError(err, res, next) {
  if (typeof next === 'function') {
    next(err);
    return;
  }
  if (res.headersSent) {
    // Nobody can be told any more; the stream is cut, and the mistake is not hidden.
    process.nextTick(rethrow, err);
    res.destroy?.();
    return;
  }
  if (isGone(res.req ?? {}, res)) return;
  const status =
    Number.isInteger(err?.status) && err.status >= 400 && err.status < 600 ? err.status : 500;
  endWith(res, status, { 'Content-Length': '0' });
}

function handler(hub, decide, opened) {
  if (opened !== undefined && typeof opened !== 'function') {
    throw errors.argError('opened', 'a function', opened);
  }
  const fixed = typeof decide === 'function' ? null : connectOptions(decide);
  if (fixed !== null) checkRooms(hub, fixed);

  function admit(req, res, settings) {
    if (settings === null) return;
    const client = enter(hub, req, res, settings);
    if (client.closed === null) opened?.(client, req);
  }

  return function fanline(req, res, next) {
    try {
      checkRequest(req, res);
      if (fixed !== null) {
        admit(req, res, fixed);
        return;
      }
      if (isKeptAway(req, res)) return;
      const answer = decide(req);
      if (typeof answer?.then !== 'function') {
        admit(req, res, decided(req, res, answer));
        return;
      }
      Promise.resolve(answer)
        .then((later) => admit(req, res, decided(req, res, later)))
        .catch((err) => answerError(err, res, next));
    } catch (err) {
      answerError(err, res, next);
    }
  };
}

module.exports = { connect, decided, enter, handler, isKeptAway, jittered, rangeOf };
