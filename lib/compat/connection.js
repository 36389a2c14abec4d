'use strict';

// What an application may extend to bring a session to a framework of its own, and the three that there are. Sessions made of a
// request do without: they are written to by the hub.

const HEADERS = Object.freeze({
  'Content-Type': 'text/event-stream',
  'Cache-Control': 'private, no-cache, no-store, no-transform, must-revalidate, max-age=0',
  Pragma: 'no-cache',
  'X-Accel-Buffering': 'no',
});
const CONSTANTS = Object.freeze({
  REQUEST_METHOD: 'GET',
  REQUEST_HOST: 'localhost',
  RESPONSE_CODE: 200,
  RESPONSE_HEADERS: HEADERS,
});

// biome-ignore lint/complexity/noStaticOnlyClass: it is there to be extended
class Connection {
  static constants = CONSTANTS;

  static applyHeaders(from, to) {
    const entries = from instanceof Headers ? from.entries() : Object.entries(from);
    for (const [name, value] of entries) {
      to.delete(name);
      if (value === undefined) continue;
      for (const text of Array.isArray(value) ? value : [value]) to.append(name, text);
    }
  }
}

/** @param {...(object|Headers|undefined)} layers the later ones over the earlier */
function headersOf(...layers) {
  const headers = new Headers();
  for (const layer of layers) if (layer) Connection.applyHeaders(layer, headers);
  return headers;
}

/** Of a Node request; what comes from the client may be no URL at all. */
function urlOf(req) {
  const scheme = req.socket?.encrypted ? 'https' : 'http';
  const host = req.headers[':authority'] ?? req.headers.host ?? CONSTANTS.REQUEST_HOST;
  const base = `${scheme}://${host}`;
  const path = req.url?.startsWith('/') ? req.url : '/';
  return URL.canParse(base + path)
    ? new URL(base + path)
    : new URL(`${scheme}://${CONSTANTS.REQUEST_HOST}/`);
}

/** A Request that tells of a Node request. */
function requestOf(req, signal) {
  const headers = new Headers();
  for (const [name, value] of Object.entries(req.headers)) {
    if (name.startsWith(':') || value === undefined) continue;
    for (const text of [value].flat()) headers.append(name, text);
  }
  return new Request(urlOf(req), {
    method: req.method ?? CONSTANTS.REQUEST_METHOD,
    headers,
    signal,
  });
}

/** Both of Node's: http2's compatibility API has the same functions. */
class NodeConnection extends Connection {
  constructor(req, res, { statusCode = CONSTANTS.RESPONSE_CODE, headers } = {}) {
    super();
    this._controller = new AbortController();
    this._onClose = () => this._controller.abort();
    this._res = res;
    this.url = urlOf(req);
    this.request = requestOf(req, this._controller.signal);
    this.response = new Response(null, {
      status: statusCode,
      headers: headersOf(HEADERS, res.getHeaders(), headers),
    });
    res.on('close', this._onClose);
  }

  sendHead() {
    const { _res: res, response } = this;
    res.statusCode = response.status;
    for (const [name, value] of response.headers) res.setHeader(name, value);
    res.flushHeaders();
  }

  sendChunk(chunk) {
    this._res.write(chunk);
  }

  cleanup() {
    this._res.off('close', this._onClose);
  }
}

class NodeHttp1Connection extends NodeConnection {}
class NodeHttp2CompatConnection extends NodeConnection {}

class FetchConnection extends Connection {
  static #encoder = new TextEncoder();

  constructor(request, response, { statusCode, headers } = {}) {
    super();
    const left = new AbortController();
    const body = new ReadableStream({
      start: (controller) => {
        this._body = controller;
      },
      cancel: () => left.abort(),
    });
    this.url = new URL(request.url);
    this.request = new Request(request, { signal: AbortSignal.any([request.signal, left.signal]) });
    this.response = new Response(body, {
      status: statusCode ?? response?.status ?? CONSTANTS.RESPONSE_CODE,
      headers: headersOf(HEADERS, response?.headers, headers),
    });
  }

  /** It goes with the Response. */
  sendHead() {}

  sendChunk(chunk) {
    this._body?.enqueue(FetchConnection.#encoder.encode(chunk));
  }

  cleanup() {
    try {
      this._body?.close();
    } catch {
      // Cancelled: it is closed.
    }
    this._body = null;
  }
}

module.exports = {
  CONSTANTS,
  HEADERS,
  Connection,
  FetchConnection,
  NodeHttp1Connection,
  NodeHttp2CompatConnection,
  headersOf,
  requestOf,
};
