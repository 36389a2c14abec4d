'use strict';

// The checks of client.pipe(), and of what its callbacks answer.

const errors = require('./errors');
const { ARGUMENT, checkKeys, isPlain } = require('./checks');
const { EVENT_NAME, isEventName } = require('./options');

const PIPE_KEYS = ['event', 'map', 'done', 'error', 'end'];
const LAST_KEYS = ['data', 'event'];
const MAP_KEYS = [...LAST_KEYS, 'id', 'retry'];

function checkName(event, path) {
  if (event !== undefined && !isEventName(event)) throw errors.argError(path, EVENT_NAME, event);
}

function checkFunction(value, path) {
  if (value === undefined || typeof value === 'function') return;
  throw errors.argError(path, 'a function', value);
}

/** What `done` is and `error` answers: the last event. */
function lastEvent(value, path) {
  if (typeof value === 'string') return { data: value };
  if (!isPlain(value)) throw errors.argError(path, 'a string or { data, event }', value);
  checkKeys(value, LAST_KEYS, `${path}.`, ARGUMENT, 'pipe()');
  const { data, event } = value;
  if (data === undefined) throw errors.argError(`${path}.data`, 'given', data);
  checkName(event, `${path}.event`);
  return { data, event };
}

/** What `map` answers. */
function checkMapped(value) {
  if (!isPlain(value)) throw errors.argError('map()', '{ data, event, id, retry }', value);
  checkKeys(value, MAP_KEYS, 'map().', ARGUMENT, 'pipe()');
}

function pipeOptions(opts = {}) {
  if (!isPlain(opts)) throw errors.argError('opts', 'a plain object', opts);
  checkKeys(opts, PIPE_KEYS, 'opts.', ARGUMENT, 'pipe()');
  const { event, map, done, error, end = true } = opts;
  checkName(event, 'opts.event');
  checkFunction(map, 'opts.map');
  checkFunction(error, 'opts.error');
  if (typeof end !== 'boolean') throw errors.argError('opts.end', 'a boolean', end);
  const last = done === undefined ? undefined : lastEvent(done, 'opts.done');
  return { event, map, done: last, error, end };
}

module.exports = { checkMapped, lastEvent, pipeOptions };
