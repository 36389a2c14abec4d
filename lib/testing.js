'use strict';

// fanline/testing: one event stream of an app, read event by event. It knows nothing of a hub and does not load the
// addon, so it tests any server that speaks Server-Sent Events. See types/testing.d.ts.

const { argError, rangeError, unknownArg } = require('./errors');
const { reach } = require('./testing/reach');
const { requestFor } = require('./testing/requests');
const { TestStream } = require('./testing/stream');

const TIMEOUT = 5_000; // ms
const KNOWN = [
  ...['method', 'headers', 'body', 'lastEventId', 'timeout', 'signal', 'agent', 'http2'],
].map((name) => `options.${name}`);

const streams = new Set(); // that have not been closed, or whose server has not

/** @returns {Function} of eventsource-parser, which only who tests needs to install */
function loadParser() {
  try {
    return require('eventsource-parser').createParser;
  } catch (cause) {
    if (cause.code !== 'MODULE_NOT_FOUND') throw cause;
    throw new Error(
      'fanline/testing reads streams with eventsource-parser: npm install --save-dev eventsource-parser',
      { cause },
    );
  }
}

function isPlain(value) {
  if (typeof value !== 'object' || value === null) return false;
  const proto = Object.getPrototypeOf(value);
  return Array.isArray(value) || proto === null || proto === Object.prototype;
}

/** Method, headers and body as they go out; names of headers are lower case. */
function settle({ method, headers = {}, body, lastEventId, timeout = TIMEOUT, ...rest }) {
  if (!isPlain(headers) || Array.isArray(headers))
    throw argError('options.headers', 'an object', headers);
  if (!(Number.isFinite(timeout) && timeout > 0))
    throw rangeError('options.timeout', 'a number of milliseconds above 0', timeout);
  const own = { accept: 'text/event-stream' };
  let bytes = body;
  if (isPlain(body)) {
    own['content-type'] = 'application/json';
    bytes = JSON.stringify(body);
  } else if (body !== undefined && typeof body !== 'string' && !(body instanceof Uint8Array)) {
    throw argError('options.body', 'a string, bytes, or what goes as JSON', body);
  }
  if (lastEventId !== undefined) own['last-event-id'] = lastEventId;
  for (const [name, value] of Object.entries(headers)) {
    if (value === undefined) delete own[name.toLowerCase()];
    else own[name.toLowerCase()] = value;
  }
  const isRead = body === undefined;
  return {
    ...rest,
    method: method ?? (isRead ? 'GET' : 'POST'),
    headers: own,
    body: bytes,
    timeout,
  };
}

/** Asks for an event stream. See types/testing.d.ts. */
async function open(target, path, options) {
  if (isPlain(path)) return open(target, undefined, path);
  if (path !== undefined && typeof path !== 'string') throw argError('path', 'a string', path);
  for (const name of Object.keys(options ?? {})) {
    if (!KNOWN.includes(`options.${name}`))
      throw unknownArg(`options.${name}`, KNOWN, 'open() of fanline/testing');
  }
  const settings = settle(options ?? {});
  const createParser = loadParser();
  const place = await reach(target, settings);
  const url = place.resolve(path);
  const stream = new TestStream(createParser, place, url, settings);
  stream._onGone = () => streams.delete(stream);
  streams.add(stream);
  try {
    requestFor(place)(stream, url, settings);
    await stream._begun();
  } catch (err) {
    await stream.close();
    throw err;
  }
  return stream;
}

/** Closes every stream that is open: for `afterEach(closeAll)`. */
async function closeAll() {
  await Promise.all([...streams].map((stream) => stream.close()));
}

module.exports = { TestStream, closeAll, open };
