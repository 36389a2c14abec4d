'use strict';

// Every default and every check of an argument, in one place. Nothing here keeps state or talks to
// the loop: each function answers a normalised value or throws a coded error (lib/errors.js).
// Conventions: `undefined` means "not given", `null` is a wrong type, durations are ms, sizes are
// bytes, `false` switches a duration off and is 0 in what these functions answer.

const { isUint8Array } = require('node:util').types;
const errors = require('./errors');
const { ARGUMENT, MS_MAX, OPTION, checkKeys, count } = require('./checks');
const { given, headersOption, integer, isPlain, oneOf, timeout } = require('./checks');

const BATCH_DELAY_MAX = 60_000;
const EVENT_ROOM = 16 << 10; // names, framing: half of totalBytes must hold an event
const EVENT_BYTES_MAX = 2 ** 30;
const QUEUE_BYTES_MAX = 2 ** 40;
const NAME_LENGTH_MAX = 1024;
const NAME_BYTES_MAX = 4096; // of an event's name; the addon has no more room for it
const RESERVED = 'fanline:';
const BREAKS = /[\r\n\0]/; // what would start a line of its own, or void an id

const HEARTBEAT = Object.freeze({ interval: 15_000, event: null });
const RETRY = Object.freeze({ min: 2_000, max: 5_000 });
const GRACE = 10_000;
const LIMITS = Object.freeze({
  clients: Infinity,
  clientsPerUser: Infinity,
  roomsPerClient: 1_000,
  eventBytes: 1 << 20,
  queueBytes: 8 << 20,
  totalBytes: 256 << 20,
  stallTimeout: 30_000,
  idleTimeout: 0,
  lifetime: 0,
});

const HUB_KEYS = [
  ...['heartbeat', 'retry', 'history', 'snapshot', 'serialize', 'overflow', 'limits'],
  ...['atCapacity', 'batchDelay', 'transport', 'adapter'],
];
const LIMIT_KEYS = Object.keys(LIMITS);
const SSE_KEYS = ['data', 'headers', 'lastEventId', 'retry', 'heartbeat', 'lifetime', 'transport'];
const CONNECT_KEYS = ['user', 'rooms', ...SSE_KEYS];
const SEND_KEYS = ['event', 'id', 'retry', 'key', 'history'];
const CLOSE_KEYS = ['event', 'data', 'reconnect'];

const EVENT_NAME = "a non-empty string without CR, LF or NUL that does not begin with 'fanline:'";
const EVENT_ID =
  "an integer, or a string without CR, LF or NUL that does not begin with 'fanline:'";
const NAME = `a string of 1 to ${NAME_LENGTH_MAX} characters`;
const PLAIN = 'a plain object';

function isEventName(value) {
  return (
    typeof value === 'string' && value !== '' && !BREAKS.test(value) && !value.startsWith(RESERVED)
  );
}

function heartbeatOption(value, path, voice) {
  if (value === false) return null;
  if (typeof value === 'number') {
    return Object.freeze({ interval: integer(value, path, 1, MS_MAX, 'ms', voice), event: null });
  }
  if (!isPlain(value)) throw voice.type(path, 'ms, false or { interval, event }', value);
  checkKeys(value, ['interval', 'event'], `${path}.`, voice);
  const { interval = HEARTBEAT.interval, event } = value;
  integer(interval, `${path}.interval`, 1, MS_MAX, 'ms', voice);
  if (event !== undefined && !isEventName(event)) {
    throw voice.type(`${path}.event`, EVENT_NAME, event);
  }
  if (event !== undefined && Buffer.byteLength(event) > NAME_BYTES_MAX) {
    throw voice.range(`${path}.event`, `at most ${NAME_BYTES_MAX} UTF-8 bytes long`, event);
  }
  return Object.freeze({ interval, event: event ?? null });
}

function retryOption(value, path, voice) {
  if (value === false) return null;
  if (typeof value === 'number') {
    const ms = integer(value, path, 1, MS_MAX, 'ms', voice);
    return Object.freeze({ min: ms, max: ms });
  }
  if (!isPlain(value)) throw voice.type(path, 'ms, false or { min, max }', value);
  checkKeys(value, ['min', 'max'], `${path}.`, voice);
  let { min, max } = value;
  if (min !== undefined) integer(min, `${path}.min`, 1, MS_MAX, 'ms', voice);
  if (max !== undefined) integer(max, `${path}.max`, 1, MS_MAX, 'ms', voice);
  min ??= Math.min(RETRY.min, max ?? RETRY.min);
  max ??= Math.max(RETRY.max, min);
  if (min > max) throw voice.range(`${path}.min`, `at most ${path}.max (${max})`, min);
  return Object.freeze({ min, max });
}

function transportOption(value, path, voice) {
  if (value === 'detached') throw voice.unavailable(path, "'detached' comes later");
  return oneOf(value, path, ['auto', 'relay'], voice);
}

function limitsOption(value) {
  if (!isPlain(value)) throw errors.optionError('limits', PLAIN, value);
  checkKeys(value, LIMIT_KEYS, 'limits.', OPTION, 'createHub()');
  const limits = {};
  for (const key of LIMIT_KEYS) {
    limits[key] = given(value[key], limitOption, `limits.${key}`, OPTION, LIMITS[key]);
  }
  const least = 2 * (limits.eventBytes + EVENT_ROOM);
  if (least > limits.totalBytes) {
    const expected = `at least ${least}: twice limits.eventBytes and some room for names`;
    throw errors.optionRange('limits.totalBytes', expected, limits.totalBytes);
  }
  return Object.freeze(limits);
}

function limitOption(value, path) {
  switch (path.slice('limits.'.length)) {
    case 'eventBytes':
      return integer(value, path, 1, EVENT_BYTES_MAX, 'bytes', OPTION);
    case 'queueBytes':
      return integer(value, path, 1, QUEUE_BYTES_MAX, 'bytes', OPTION);
    case 'totalBytes':
      return integer(value, path, 1, Number.MAX_SAFE_INTEGER, 'bytes', OPTION);
    case 'stallTimeout':
    case 'idleTimeout':
    case 'lifetime':
      return timeout(value, path, OPTION);
    default:
      return count(value, path);
  }
}

/** The default `serialize`: strings and bytes as they are, the rest as JSON. */
function serializeData(data) {
  return typeof data === 'string' || isUint8Array(data) ? data : JSON.stringify(data);
}

/** Refuses what exists in the design and not yet in this version. */
function refuseUnavailable({ history, snapshot, adapter, overflow }) {
  if (history !== undefined && history !== false) {
    throw errors.unavailableOption('history', 'leave it out or give false');
  }
  if (snapshot !== undefined) throw errors.unavailableOption('snapshot', 'leave it out');
  if (adapter !== undefined) throw errors.unavailableOption('adapter', 'leave it out');
  if (overflow === 'dropOldest' || overflow === 'dropNewest') {
    throw errors.unavailableOption('overflow', `'${overflow}' comes later, 'disconnect' is there`);
  }
}

/**
 * The options of createHub, checked and completed.
 * @param {object} [options] DESIGN section 5; durations ms, sizes bytes
 * @returns {object} frozen: `{ heartbeat: {interval, event|null} | null, retry: {min, max} | null,
 *   history: null, serialize, overflow, atCapacity, batchDelay, transport, limits }`; in `limits`
 *   0 is an off timeout
 * @throws {TypeError|RangeError} `ERR_FAN_OPTION`: wrong type, wrong range, unknown name or not
 *   available in this version
 */
function hubOptions(options = {}) {
  if (!isPlain(options)) throw errors.optionError('options', PLAIN, options);
  const nested = LIMIT_KEYS.map((key) => `limits.${key}`);
  checkKeys(options, HUB_KEYS, '', OPTION, 'createHub()', nested);
  refuseUnavailable(options);
  const { serialize = serializeData, overflow = 'disconnect', atCapacity = 'retry' } = options;
  const { batchDelay = 0, transport = 'auto' } = options;
  if (typeof serialize !== 'function') {
    throw errors.optionError('serialize', 'a function', serialize);
  }
  return Object.freeze({
    heartbeat: given(options.heartbeat, heartbeatOption, 'heartbeat', OPTION, HEARTBEAT),
    retry: given(options.retry, retryOption, 'retry', OPTION, RETRY),
    history: null,
    serialize,
    overflow: oneOf(overflow, 'overflow', ['disconnect'], OPTION),
    atCapacity: oneOf(atCapacity, 'atCapacity', ['retry', 'reject'], OPTION),
    batchDelay: integer(batchDelay, 'batchDelay', 0, BATCH_DELAY_MAX, 'ms', OPTION),
    transport: transportOption(transport, 'transport', OPTION),
    limits: given(options.limits, limitsOption, 'limits', OPTION, LIMITS),
  });
}

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
 *   lifetime?: number, transport?: 'auto'|'relay'}} durations in ms, `lifetime` 0 is off; in
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

/**
 * The options of one send. Each is read once: a `toJSON` or a getter may change them after they were checked.
 * @param {{event?: string, id?: string|number, retry?: number, history?: false}} opts given, not
 *   undefined; `retry` in ms
 * @param {boolean} [reserved] false lets event names beginning `fanline:` pass: for our own sends
 * @returns {{event: string|undefined, id: string|number|undefined, retry: number|undefined}}
 * @throws {TypeError} `ERR_FAN_ARG`: wrong type, unknown name, CR, LF or NUL in a name or id,
 *   a name or id that is ours, `key` or `history` of a later version
 * @throws {RangeError} `ERR_FAN_RANGE`: `retry` or a numeric `id` out of range
 */
function sendOptions(opts, reserved = true) {
  if (!isPlain(opts)) throw errors.argError('opts', PLAIN, opts);
  for (const key in opts) checkSendKey(opts, key);
  const { event, id, retry, key, history } = opts;
  if (event !== undefined && !isEventName(event)) {
    const ours = typeof event === 'string' && event.startsWith(RESERVED) && !BREAKS.test(event);
    if (reserved || !ours) throw errors.argError('opts.event', EVENT_NAME, event);
  }
  if (id !== undefined) checkEventId(id);
  if (retry !== undefined && !(Number.isInteger(retry) && retry >= 0 && retry <= MS_MAX)) {
    integer(retry, 'opts.retry', 0, MS_MAX, 'ms', ARGUMENT);
  }
  if (key !== undefined) throw errors.unavailableArg('opts.key', 'leave it out');
  if (history !== undefined && history !== false) {
    throw errors.unavailableArg('opts.history', 'leave it out or give false');
  }
  return { event, id, retry };
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
  sendOptions,
  sseOptions,
};
