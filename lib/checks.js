'use strict';

// The elementary checks of lib/options.js: each answers the value or throws a coded error in one of
// two voices, the options of a hub or the arguments of a call. Which values exist, and their
// defaults, is not known here.

const http = require('node:http');
const errors = require('./errors');

const MS_MAX = 2 ** 31 - 1;

// The two voices in which the same check complains.
const OPTION = {
  type: errors.optionError,
  range: errors.optionRange,
  unknown: errors.unknownOption,
};
const ARGUMENT = {
  type: errors.argError,
  range: errors.rangeError,
  unknown: errors.unknownArg,
};

/** An object literal or its equal, of any realm: its own keys are all it says. */
function isPlain(value) {
  if (typeof value !== 'object' || value === null) return false;
  const proto = Object.getPrototypeOf(value);
  return proto === Object.prototype || proto === null || Object.getPrototypeOf(proto) === null;
}

/** Throws unless `value` is a plain object whose own keys are all in `known`. */
function checkKeys(value, known, prefix, voice, where, more = []) {
  for (const key of Object.keys(value)) {
    if (known.includes(key)) continue;
    const paths = known.concat(more).map((name) => prefix + name);
    throw voice.unknown(prefix + key, paths, where);
  }
}

function integer(value, path, min, max, unit, voice) {
  const expected = `an integer from ${min} to ${max}${unit ? ` (${unit})` : ''}`;
  if (typeof value !== 'number') throw voice.type(path, expected, value);
  if (!Number.isInteger(value) || value < min || value > max) {
    throw voice.range(path, expected, value);
  }
  return value;
}

/** A positive integer or Infinity. */
function count(value, path) {
  const expected = 'a positive integer or Infinity';
  if (typeof value !== 'number') throw errors.optionError(path, expected, value);
  if (value === Infinity || (Number.isSafeInteger(value) && value >= 1)) return value;
  throw errors.optionRange(path, expected, value);
}

/** A duration that `false` switches off: ms, or 0 for off. */
function timeout(value, path, voice) {
  if (value === false) return 0;
  if (typeof value !== 'number') {
    throw voice.type(path, `an integer from 1 to ${MS_MAX} (ms) or false`, value);
  }
  return integer(value, path, 1, MS_MAX, 'ms', voice);
}

function oneOf(value, path, values, voice) {
  if (values.includes(value)) return value;
  const list = values.map((name) => `'${name}'`).join(' or ');
  throw voice.type(path, list, value);
}

/** What `check` makes of `value`, or `otherwise` when none is given. */
function given(value, check, path, voice, otherwise) {
  return value === undefined ? otherwise : check(value, path, voice);
}

function headerName(name) {
  try {
    http.validateHeaderName(name);
  } catch {
    throw errors.argError('opts.headers', 'an object whose keys are HTTP header names', name);
  }
}

function headerText(name, value, path) {
  try {
    http.validateHeaderValue(name, value);
  } catch {
    throw errors.argError(path, 'a header value without CR, LF or control characters', value);
  }
}

/** A header's value: text, a list of texts, or null, which removes a default header. */
function headerValue(name, value) {
  const path = `opts.headers.${name}`;
  if (value === undefined || value === null || value === false) return null;
  if (typeof value === 'number') return String(value);
  if (typeof value === 'string') {
    headerText(name, value, path);
    return value;
  }
  if (!Array.isArray(value)) {
    throw errors.argError(path, 'a string, a number, an array of strings or null', value);
  }
  return Array.from(value, (text, i) => {
    if (typeof text !== 'string') throw errors.argError(`${path}[${i}]`, 'a string', text);
    headerText(name, text, `${path}[${i}]`);
    return text;
  });
}

/** Headers by name, checked, in an object without a prototype. */
function headersOption(headers) {
  if (!isPlain(headers)) throw errors.argError('opts.headers', 'a plain object', headers);
  const copy = Object.create(null);
  for (const name of Object.keys(headers)) {
    headerName(name);
    copy[name] = headerValue(name, headers[name]);
  }
  return copy;
}

module.exports = {
  ARGUMENT,
  MS_MAX,
  OPTION,
  checkKeys,
  count,
  given,
  headersOption,
  integer,
  isPlain,
  oneOf,
  timeout,
};
