'use strict';

// Between a session and the hub: how a client is made of what the session was given. Each link has
//   lastEventId, padding          what the client came with
//   prepare({ retry, heartbeat }) called once, by the constructor of the session
//   open() → Client               called once, a moment later
//   closed()                      the session is over
//   request, response             of the Fetch API, made when asked for

const { CONSTANTS, Connection, HEADERS, headersOf, requestOf } = require('./connection');
const { ConnectionRequest, ConnectionResponse } = require('./connection-response');
const { gone } = require('./gone');
const { hub } = require('./hub');
const { SseError } = require('./sse-error');

const NO_BODY = [101, 103, 204, 205, 304];
// Two polyfills of EventSource name the last id in the address, and ask for bytes ahead that make old browsers show what comes.
const ID_FIELDS = ['lastEventId', 'evs_last_event_id'];
const PADDING = { padding: 2_049, evs_preamble: 2_056 };

class Link {
  /** @param {string} address of the request, or its end @param {string|undefined|null} header its Last-Event-ID */
  constructor(address, header) {
    const at = address.indexOf('?');
    const query = new URLSearchParams(at < 0 ? '' : address.slice(at));
    const field = ID_FIELDS.find((name) => query.has(name));
    this.isLazy = false;
    this.lastEventId = header ?? query.get(field) ?? '';
    this.padding = PADDING[Object.keys(PADDING).find((name) => query.has(name))] ?? 0;
  }

  closed() {}
}

/** Our defaults with the application's headers over them, as `connect` wants them: null removes one. */
function ownHeaders(own = {}) {
  const headers = {};
  for (const list of [HEADERS, own]) {
    for (const name in list) headers[name.toLowerCase()] = list[name] ?? null;
  }
  return headers;
}

/** A stream is 200 to the hub; the head may say otherwise. As `on-headers` does it, so that it works beside it. */
function replaceStatus(res, status) {
  const { writeHead } = res;
  res.writeHead = function (_status, ...rest) {
    res.writeHead = writeHead;
    return res.writeHead(status, ...rest);
  };
}

class NodeLink extends Link {
  constructor(req, res, { statusCode = CONSTANTS.RESPONSE_CODE, headers }) {
    super(req.url ?? '', req.headers['last-event-id']);
    this._req = req;
    this._res = res;
    this._status = statusCode;
    this._headers = ownHeaders(headers);
    this._controller = null; // of the signal of `request`, once that has been asked for
    this._isOver = false;
  }

  prepare(settings) {
    this._settings = { ...settings, headers: this._headers };
  }

  open() {
    const { _req: req, _res: res, _status: status } = this;
    if (NO_BODY.includes(status)) return this._answer();
    if (status !== 200) replaceStatus(res, status);
    return hub.connect(req, res, this._settings);
  }

  /** Nothing may follow such a head: it is all there is. */
  _answer() {
    const { _res: res } = this;
    res.statusCode = this._status;
    for (const name in this._headers) {
      if (this._headers[name] !== null) res.setHeader(name, this._headers[name]);
    }
    res.end();
    return gone;
  }

  closed() {
    this._isOver = true;
    this._controller?.abort();
  }

  get request() {
    if (this._controller === null) {
      this._controller = new AbortController();
      if (this._isOver) this._controller.abort();
      this._request = requestOf(this._req, this._controller.signal);
    }
    return this._request;
  }

  get response() {
    this._response ??= this._makeResponse();
    return this._response;
  }

  _makeResponse() {
    const own = Object.entries(this._headers).map(([name, value]) => [name, value ?? undefined]);
    const headers = headersOf(this._res.getHeaders(), Object.fromEntries(own));
    return new Response(null, { status: this._status, headers });
  }
}

class FetchLink extends Link {
  constructor(request, response, options) {
    super(request.url, request.headers.get('last-event-id'));
    this.isLazy = true;
    this.request = request;
    this._head = {
      status: options.statusCode ?? response?.status ?? CONSTANTS.RESPONSE_CODE,
      headers: headersOf(HEADERS, response?.headers, options.headers),
    };
    this._client = gone;
  }

  /** At once: its Response is asked for before anything else. */
  prepare(settings) {
    if (NO_BODY.includes(this._head.status)) {
      this.response = new Response(null, this._head);
      return;
    }
    const answer = hub.response(this.request, settings, (client) => {
      this._client = client;
    });
    this.response = this._client === gone ? answer : new Response(answer.body, this._head);
  }

  open() {
    return this._client;
  }
}

class ConnectionLink extends Link {
  constructor(connection) {
    super(connection.url.search, connection.request.headers.get('last-event-id'));
    this._connection = connection;
  }

  prepare(settings) {
    this._settings = { ...settings, transport: 'relay' };
  }

  open() {
    const req = new ConnectionRequest(this._connection);
    return hub.connect(req, new ConnectionResponse(this._connection), this._settings);
  }

  closed() {
    this._connection.cleanup();
  }

  get request() {
    return this._connection.request;
  }

  get response() {
    return this._connection.response;
  }
}

const isRequest = (it) => typeof it?.method === 'string' && typeof it.headers?.get === 'function';
const isResponse = (it) => typeof it?.status === 'number' && typeof it.headers?.get === 'function';
const isNode = (req, res) =>
  typeof req?.on === 'function' &&
  typeof req.headers === 'object' &&
  ['writeHead', 'write', 'end', 'on'].every((name) => typeof res?.[name] === 'function');

/**
 * @param {any[]} args of a session: (req, res, options?), (request, response?, options?), (request, options?), (connection, options?)
 * @returns {{link: Link, options: object}}
 * @throws {SseError} it is made of something else
 */
function linkOf([first, second, third]) {
  if (first instanceof Connection)
    return { link: new ConnectionLink(first), options: second ?? {} };
  if (isRequest(first)) {
    const response = isResponse(second) ? second : null;
    const options = (response === null ? (second ?? third) : third) ?? {};
    return { link: new FetchLink(first, response, options), options };
  }
  if (isNode(first, second)) {
    const options = third ?? {};
    return { link: new NodeLink(first, second, options), options };
  }
  throw new SseError(
    'a session is made of the request and response of Node (http, http2), of a Request of the Fetch API, or of a Connection',
  );
}

module.exports = { linkOf };
