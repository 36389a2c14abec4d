'use strict';

// Options that a hub and a single stream have in common, in the two voices of lib/checks.js.

const { MS_MAX, checkKeys, integer, isPlain, oneOf } = require('./checks');

const NAME_BYTES_MAX = 4096; // of a name, an id or a key; the addon has no more room for it
const RESERVED = 'fanline:';
const BREAKS = /[\r\n\0]/; // what would start a line of its own, or void an id

const HEARTBEAT = Object.freeze({ interval: 15_000, event: null });
const RETRY = Object.freeze({ min: 2_000, max: 5_000 });

const EVENT_NAME = "a non-empty string without CR, LF or NUL that does not begin with 'fanline:'";

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
  return oneOf(value, path, ['auto', 'relay', 'detached'], voice);
}

module.exports = {
  BREAKS,
  EVENT_NAME,
  HEARTBEAT,
  NAME_BYTES_MAX,
  RESERVED,
  RETRY,
  heartbeatOption,
  isEventName,
  retryOption,
  transportOption,
};
