'use strict';

// Every check of an argument (those of createHub are in lib/hub-options.js). Nothing here keeps state or talks to
// the loop: each function answers a normalised value or throws a coded error (lib/errors.js).
// Conventions: `undefined` means "not given", `null` is a wrong type, durations are ms, sizes are
// bytes, `false` switches a duration off and is 0 in what these functions answer.

const errors = require('./errors');
const { ARGUMENT, MS_MAX, checkKeys, given, headersOption } = require('./checks');
const { integer, isPlain, timeout } = require('./checks');
const { hubOptions } = require('./hub-options');
const { BREAKS, EVENT_NAME, RESERVED, heartbeatOption, isEventName } = require('./stream-options');
const { retryOption, transportOption } = require('./stream-options');

const GRACE = 10_000;
const NAME_LENGTH_MAX = 1024;
const SSE_KEYS = ['data', 'headers', 'lastEventId', 'retry', 'heartbeat', 'lifetime', 'transport'];
const CONNECT_KEYS = ['user', 'rooms', ...SSE_KEYS];
const SEND_KEYS = ['event', 'id', 'retry', 'key', 'history'];
const PRESENCE_KEYS = ['room', 'user', 'limit', 'after'];
const PRESENCE_LIMIT = { usual: 100, most: 10_000 };
const CLOSE_KEYS = ['event', 'data', 'reconnect'];

const EVENT_ID =
  "an integer, or a string without CR, LF or NUL that does not begin with 'fanline:'";
const NAME = `a string of 1 to ${NAME_LENGTH_MAX} characters`;
const PLAIN = 'a plain object';

function userOption(user) {
  if (isName(user)) return user;
  throw errors.argError('opts.user', NAME, user);
}

/** What connect() and sse() have in common. */
function streamOptions(opts) {
  const { data, headers, lastEventId } = opts;
  if (lastEventId !== undefined && typeof lastEventId !== 'string') {
    throw errors.argError('opts.lastEventId', 'a string', lastEventId);
  }
  return {
    user: undefined,
    rooms: [],
    data,
    headers: given(headers, headersOption),
    lastEventId,
    retry: given(opts.retry, retryOption, 'opts.retry', ARGUMENT),
    heartbeat: given(opts.heartbeat, heartbeatOption, 'opts.heartbeat', ARGUMENT),
    lifetime: given(opts.lifetime, timeout, 'opts.lifetime', ARGUMENT),
    transport: given(opts.transport, transportOption, 'opts.transport', ARGUMENT),
  };
}

/**
 * The options of hub.connect and hub.handler. `undefined` in the answer means "as the hub has it".
 * @param {object} [opts]
 * @returns {{user?: string, rooms: string[], data: any, headers?: object, lastEventId?: string,
 *   retry?: {min: number, max: number}|null, heartbeat?: {interval: number, event: ?string}|null,
 *   lifetime?: number, transport?: 'auto'|'relay'|'detached'}} durations in ms, `lifetime` 0 is off; in
 *   `headers` (without a prototype) a value is a string, an array of strings, or null: remove it
 * @throws {TypeError} `ERR_FAN_ARG`
 * @throws {RangeError} `ERR_FAN_RANGE`
 */
function connectOptions(opts = {}) {
  if (!isPlain(opts)) throw errors.argError('opts', PLAIN, opts);
  checkKeys(opts, CONNECT_KEYS, 'opts.', ARGUMENT, 'connect()');
  const { user, rooms } = opts;
  const answer = streamOptions(opts);
  if (user !== undefined) answer.user = userOption(user);
  if (rooms !== undefined) answer.rooms = names(rooms, 'opts.rooms');
  return answer;
}

/**
 * The options of sse(): those of connectOptions without `user` and `rooms`; no `retry` line unless
 * asked for.
 * @param {object} [opts]
 * @returns {object} as connectOptions
 * @throws {TypeError} `ERR_FAN_ARG`
 * @throws {RangeError} `ERR_FAN_RANGE`
 */
function sseOptions(opts = {}) {
  if (!isPlain(opts)) throw errors.argError('opts', PLAIN, opts);
  checkKeys(opts, CONNECT_KEYS, 'opts.', ARGUMENT, 'sse()');
  for (const key of ['rooms', 'user']) {
    if (opts[key] === undefined) continue;
    const thing = key === 'user' ? 'users' : 'rooms';
    throw errors.refusedArg(`opts.${key}`, `sse() has no ${thing}: use createHub`);
  }
  const answer = streamOptions(opts);
  if (answer.retry === undefined) answer.retry = null;
  return answer;
}

function checkEventId(id) {
  if (typeof id === 'number') {
    if (Number.isSafeInteger(id) && id >= 0) return;
    throw errors.rangeError('opts.id', 'a string or an integer from 0 to 2^53 - 1', id);
  }
  if (typeof id === 'string' && !BREAKS.test(id) && !id.startsWith(RESERVED)) return;
  throw errors.argError('opts.id', EVENT_ID, id);
}

function checkSendKey(opts, key) {
  if (SEND_KEYS.includes(key) || !Object.hasOwn(opts, key)) return;
  throw errors.unknownArg(
    `opts.${key}`,
    SEND_KEYS.map((name) => `opts.${name}`),
    'send()',
  );
}

function checkOwnId(id, key, hasHistory) {
  if (id === undefined) return;
  if (hasHistory) {
    const why =
      'the hub gives ids to what it keeps: leave it out, or createHub({ history: false })';
    throw errors.refusedArg('opts.id', why);
  }
  if (key !== undefined) throw errors.refusedArg('opts.id', 'an event with a key has no id');
  checkEventId(id);
}

function checkKey(key) {
  if (key === undefined || (typeof key === 'string' && key !== '')) return;
  throw errors.argError('opts.key', 'a non-empty string', key);
}

/**
 * The options of one send. Each is read once: a `toJSON` or a getter may change them after they were checked.
 * @param {{event?: string, id?: string|number, retry?: number, key?: string, history?: false}} opts given,
 *   not undefined; `retry` in ms
 * @param {boolean} hasHistory of the hub: then ids are its own
 * @returns {{event: string|undefined, id: string|undefined, retry: number|undefined,
 *   key: string|undefined, history: false|undefined}}
 * @throws {TypeError} `ERR_FAN_ARG`: wrong type, unknown name, CR, LF or NUL in a name or id, a name or
 *   id that is ours, an id where there are none
 * @throws {RangeError} `ERR_FAN_RANGE`: `retry` or a numeric `id` out of range
 */
function sendOptions(opts, hasHistory) {
  if (!isPlain(opts)) throw errors.argError('opts', PLAIN, opts);
  for (const key in opts) checkSendKey(opts, key);
  const { event, id, retry, key, history } = opts;
  if (event !== undefined && !isEventName(event)) {
    throw errors.argError('opts.event', EVENT_NAME, event);
  }
  checkOwnId(id, key, hasHistory);
  checkKey(key);
  if (retry !== undefined && !(Number.isInteger(retry) && retry >= 0 && retry <= MS_MAX)) {
    integer(retry, 'opts.retry', 0, MS_MAX, 'ms', ARGUMENT);
  }
  if (history !== undefined && history !== false) {
    throw errors.argError('opts.history', 'false, or left out', history);
  }
  return { event, id: id === undefined ? undefined : String(id), retry, key, history };
}

/**
 * The options of Client.close and Target.disconnect. An `event` needs `data`, since a page never
 * sees an event without; only `reconnect: false` brings data of its own.
 * @param {{event?: string, data?: any, reconnect?: boolean}} [opts]
 * @returns {{event: string|undefined, data: any, hasData: boolean, reconnect: boolean}}
 * @throws {TypeError} `ERR_FAN_ARG`
 */
function closeOptions(opts = {}) {
  if (!isPlain(opts)) throw errors.argError('opts', PLAIN, opts);
  checkKeys(opts, CLOSE_KEYS, 'opts.', ARGUMENT, 'close()');
  const { event, data, reconnect = true } = opts;
  if (event !== undefined && !isEventName(event)) {
    throw errors.argError('opts.event', EVENT_NAME, event);
  }
  if (typeof reconnect !== 'boolean') {
    throw errors.argError('opts.reconnect', 'a boolean', reconnect);
  }
  if (event !== undefined && data === undefined && reconnect) {
    throw errors.argError('opts.data', 'given together with opts.event', data);
  }
  return { event, data, hasData: data !== undefined, reconnect };
}

/**
 * The options of hub.close.
 * @param {{grace?: number}} [opts] `grace` in ms, 0 to 2^31 - 1, default 10 000
 * @returns {number} the grace in ms
 * @throws {TypeError} `ERR_FAN_ARG`
 * @throws {RangeError} `ERR_FAN_RANGE`
 */
function hubCloseOptions(opts = {}) {
  if (!isPlain(opts)) throw errors.argError('opts', PLAIN, opts);
  checkKeys(opts, ['grace'], 'opts.', ARGUMENT, 'close()');
  const { grace = GRACE } = opts;
  return integer(grace, 'opts.grace', 0, MS_MAX, 'ms', ARGUMENT);
}

/**
 * The options of hub.presence.
 * @param {{room?: string, user?: string, limit?: number, after?: string}} [opts]
 * @returns {{room: string|undefined, user: string|undefined, limit: number, after: string}}
 * @throws {TypeError|RangeError} `ERR_FAN_ARG`, `ERR_FAN_RANGE`
 */
function presenceOptions(opts = {}) {
  if (!isPlain(opts)) throw errors.argError('opts', PLAIN, opts);
  checkKeys(opts, PRESENCE_KEYS, 'opts.', ARGUMENT, 'presence()');
  const { room, user, limit = PRESENCE_LIMIT.usual, after } = opts;
  for (const [name, value] of Object.entries({ room, user, after })) {
    if (value !== undefined && !isName(value)) throw errors.argError(`opts.${name}`, NAME, value);
  }
  if (room !== undefined && user !== undefined) {
    throw errors.refusedArg('opts.user', 'ask for a room or for a user');
  }
  integer(limit, 'opts.limit', 0, PRESENCE_LIMIT.most, 'clients', ARGUMENT);
  return { room, user, limit, after: after ?? '' };
}

function isName(value) {
  return typeof value === 'string' && value !== '' && value.length <= NAME_LENGTH_MAX;
}

/**
 * One name or an array of them: rooms, users, client ids. An empty array is nobody.
 * @param {string|string[]} value each 1 to 1024 characters
 * @param {string} argument what errors call it: `rooms`, and `rooms[1]` for an element
 * @returns {string[]} a new array without duplicates
 * @throws {TypeError} `ERR_FAN_ARG`
 */
function names(value, argument) {
  if (isName(value)) return [value];
  if (!Array.isArray(value)) throw errors.argError(argument, `${NAME}, or an array of them`, value);
  for (let i = 0; i < value.length; i++) {
    if (!isName(value[i])) throw errors.argError(`${argument}[${i}]`, NAME, value[i]);
  }
  return value.length < 2 ? value.slice() : [...new Set(value)];
}

function hasMethods(object, methods) {
  if (typeof object !== 'object' || object === null) return false;
  return methods.every((method) => typeof object[method] === 'function');
}

/**
 * Throws unless both look like Node's (http, https, http2's compatibility API, or a mock of them).
 * @param {object} req needs `method` and `headers`
 * @param {object} res needs `writeHead`, `write`, `end` and `on`
 * @throws {TypeError} `ERR_FAN_ARG` naming `req` or `res`
 */
function checkRequest(req, res) {
  if (
    !hasMethods(req, ['on']) ||
    typeof req.method !== 'string' ||
    typeof req.headers !== 'object' ||
    req.headers === null
  ) {
    throw errors.argError('req', 'the request of a Node http server', req);
  }
  if (!hasMethods(res, ['writeHead', 'write', 'end', 'on'])) {
    throw errors.argError('res', 'the response of a Node http server', res);
  }
}

module.exports = {
  EVENT_NAME,
  checkRequest,
  closeOptions,
  connectOptions,
  hubCloseOptions,
  hubOptions,
  isEventName,
  names,
  presenceOptions,
  sendOptions,
  sseOptions,
};
