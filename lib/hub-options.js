'use strict';

// The options of createHub: every default, every check.

const { isUint8Array } = require('node:util').types;
const errors = require('./errors');
const { MS_MAX, OPTION, checkKeys, count } = require('./checks');
const { given, integer, isPlain, oneOf, timeout } = require('./checks');
const { HEARTBEAT, RETRY, heartbeatOption, retryOption } = require('./stream-options');
const { transportOption } = require('./stream-options');

const BATCH_DELAY_MAX = 60_000;
const EVENT_ROOM = 16 << 10; // names, framing: half of totalBytes must hold an event
const EVENT_BYTES_MAX = 2 ** 30;
const QUEUE_BYTES_MAX = 2 ** 40;
const HISTORY_EVENTS_MAX = 2 ** 24;
const PLAIN = 'a plain object';

const HISTORY = Object.freeze({ events: 200, bytes: 8 << 20, maxAge: 300_000 });
const OVERFLOW = ['disconnect', 'dropOldest', 'dropNewest'];
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

/** Events per room and per user, bytes for the hub, ms: see lib/history.js. */
function historyOption(value, limits) {
  if (value === false) return null;
  if (!isPlain(value)) {
    throw errors.optionError('history', '{ events, bytes, maxAge } or false', value);
  }
  checkKeys(value, Object.keys(HISTORY), 'history.', OPTION, 'createHub()');
  const most = Math.floor(limits.totalBytes / 4);
  const { events = HISTORY.events, bytes = Math.min(HISTORY.bytes, most) } = value;
  const { maxAge = HISTORY.maxAge } = value;
  integer(events, 'history.events', 1, HISTORY_EVENTS_MAX, '', OPTION);
  integer(maxAge, 'history.maxAge', 1, MS_MAX, 'ms', OPTION);
  integer(bytes, 'history.bytes', 1, Number.MAX_SAFE_INTEGER, 'bytes', OPTION);
  if (bytes > most) {
    const expected = `at most ${most}: a quarter of limits.totalBytes`;
    throw errors.optionRange('history.bytes', expected, bytes);
  }
  return Object.freeze({ events, bytes, maxAge });
}

/** What clusterAdapter() or redisAdapter() answered, or something of the same form: see docs/adapters.md. */
function adapterOption(value) {
  if (value === undefined) return null;
  if (typeof value?.open === 'function' && value.maxPendingBytes > 0) return value;
  throw errors.optionError('adapter', 'an adapter: redisAdapter(…) or clusterAdapter()', value);
}

/**
 * The options of createHub, checked and completed.
 * @param {object} [options] DESIGN section 5; durations ms, sizes bytes
 * @returns {object} frozen: `{ heartbeat: {interval, event|null} | null, retry: {min, max} | null,
 *   history: {events, bytes, maxAge} | null, snapshot: function | null, serialize, overflow,
 *   atCapacity, batchDelay, transport, limits }`; in `limits` 0 is an off timeout
 * @throws {TypeError|RangeError} `ERR_FAN_OPTION`: wrong type, wrong range, unknown name or not
 *   available in this version
 */
function hubOptions(options = {}) {
  if (!isPlain(options)) throw errors.optionError('options', PLAIN, options);
  const nested = LIMIT_KEYS.map((key) => `limits.${key}`);
  checkKeys(options, HUB_KEYS, '', OPTION, 'createHub()', nested);
  const { serialize = serializeData, overflow = 'disconnect', atCapacity = 'retry' } = options;
  const { batchDelay = 0, transport = 'auto', history = {}, snapshot } = options;
  if (typeof serialize !== 'function') {
    throw errors.optionError('serialize', 'a function', serialize);
  }
  if (snapshot !== undefined && typeof snapshot !== 'function') {
    throw errors.optionError('snapshot', 'a function', snapshot);
  }
  const limits = given(options.limits, limitsOption, 'limits', OPTION, LIMITS);
  return Object.freeze({
    heartbeat: given(options.heartbeat, heartbeatOption, 'heartbeat', OPTION, HEARTBEAT),
    retry: given(options.retry, retryOption, 'retry', OPTION, RETRY),
    history: historyOption(history, limits),
    snapshot: snapshot ?? null,
    serialize,
    overflow: oneOf(overflow, 'overflow', OVERFLOW, OPTION),
    atCapacity: oneOf(atCapacity, 'atCapacity', ['retry', 'reject'], OPTION),
    batchDelay: integer(batchDelay, 'batchDelay', 0, BATCH_DELAY_MAX, 'ms', OPTION),
    transport: transportOption(transport, 'transport', OPTION),
    adapter: adapterOption(options.adapter),
    limits,
  });
}

module.exports = { OVERFLOW, hubOptions };
