'use strict';

// hub.response(): connect() and handler() for servers that hand over a Request and want a Response (WHATWG Fetch): Hono, h3,
// Next.js, Deno, Bun. Who is let in, and how, is decided in lib/connect.js for them as for all.

const connecting = require('./connect');
const errors = require('./errors');
const { FetchResponse } = require('./fetch-response');
const { connectOptions } = require('./options');

const HEADERS = ['last-event-id', 'content-length', 'transfer-encoding']; // all that is looked at

/** What connect() asks of a request. */
class FetchRequest {
  constructor(request) {
    this.method = request.method;
    this.httpVersionMajor = 1; // for all that is known; whoever is sent away is asked to close the connection
    this.headers = {};
    for (const name of HEADERS) {
      const value = request.headers.get(name);
      if (value !== null) this.headers[name] = value;
    }
    this._request = request;
  }

  /** As Node's: null as long as nobody has begun to read the body. */
  get readableFlowing() {
    const { body, bodyUsed } = this._request;
    return body && !bodyUsed ? null : true;
  }

  /** Reads the body for nobody; cancelling it would end the connection on some servers. */
  resume() {
    this._request.body.pipeTo(new WritableStream()).catch(() => {});
  }
}

function isSignal(value) {
  return typeof value === 'object' && typeof value?.addEventListener === 'function';
}

function checkArguments(request, opened) {
  const { method, headers, signal } = Object(request);
  if (typeof method !== 'string' || typeof headers?.get !== 'function') {
    throw errors.argError('request', 'a Request of the Fetch API', request);
  }
  if (signal !== undefined && signal !== null && !isSignal(signal)) {
    throw errors.argError('request.signal', 'an AbortSignal', signal);
  }
  if (opened !== undefined && typeof opened !== 'function') {
    throw errors.argError('opened', 'a function', opened);
  }
}

/** Runs `answer(req, res)`, which may throw or be async, and gives what it has made of `res`. */
function answered(request, answer) {
  const req = new FetchRequest(request);
  const res = new FetchResponse(request.signal ?? undefined);
  const failed = (err) => {
    res.destroy();
    throw err;
  };
  try {
    const later = answer(req, res);
    if (later === undefined) return res.toResponse();
    return later.then(() => res.toResponse()).catch(failed);
  } catch (err) {
    return failed(err);
  }
}

function response(hub, request, decide, opened) {
  checkArguments(request, opened);
  const enter = (req, res, settings) => {
    const client = connecting.enter(hub, req, res, settings);
    if (client.closed === null) opened?.(client, request);
  };
  if (typeof decide !== 'function') {
    const settings = connectOptions(decide);
    return answered(request, (req, res) => enter(req, res, settings));
  }
  return answered(request, async (req, res) => {
    if (connecting.isKeptAway(req, res)) return;
    const settings = connecting.decided(req, res, await decide(request));
    if (settings !== null) enter(req, res, settings);
  });
}

module.exports = { response };
