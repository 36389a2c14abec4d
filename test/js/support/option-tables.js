'use strict';

// For tests of option checks: tables of what is refused and what is accepted, and values of every kind.

const assert = require('node:assert');

const MS_MAX = 2 ** 31 - 1;
const NOT_NUMBERS = ['5', null, true, [], {}, 5n, Symbol('x'), () => {}];
const NOT_STRINGS = [5, null, true, {}, 5n, Symbol('x'), () => {}];
const NOT_OBJECTS = ['x', 5, null, true, [], () => {}, new Map(), new Date()];
const BAD_MS = [-1, 1.5, NaN, Infinity, 2 ** 31];
const BREAKS = ['a\nb', 'a\rb', 'a\r\nb', 'a\0b', '\n', 'a\n'];
const OURS = ['fanline:', 'fanline:reset', 'fanline:end:1'];

const COUNTS = [0, -1, 1.5, NaN, -Infinity, 2 ** 53]; // no positive integers
const BAD_EVENTS = [...NOT_STRINGS, '', ...BREAKS, ...OURS];
const GOOD_EVENTS = ['x', ' ', 'fanline', 'Fanline:x', 'é😀', 'a:b'];

// codes of what has the wrong type, and of what is out of range
const OPTION = ['ERR_FAN_OPTION', 'ERR_FAN_OPTION'];
const ARGUMENT = ['ERR_FAN_ARG', 'ERR_FAN_RANGE'];

/** `fn` throws an error of this class and code whose message names `path`. */
function throws(fn, Base, code, path) {
  assert.throws(fn, (err) => {
    assert.strictEqual(err.code, code, err.stack);
    assert.strictEqual(err.name, Base.name);
    assert(err instanceof Base);
    assert(err.message.includes(`"${path}"`), `${path} in: ${err.message}`);
    assert(err.stack.startsWith(`${Base.name} [${code}]: ${err.message}`), err.stack);
    assert(err.message.length < 500, `${err.message.length} characters`);
    return true;
  });
}

/** `{ 'a.b': v }` as `{ a: { b: v } }`. */
function nest(path, value) {
  return path.split('.').reduceRight((inner, key) => ({ [key]: inner }), value);
}

/** Two tests for each row: [path, wrong types, wrong ranges, good values]. */
function table(rows, call, [typeCode, rangeCode], prefix) {
  for (const [path, types, ranges, good] of rows) {
    const refused = (value, Base, code) =>
      throws(() => call(nest(path, value)), Base, code, prefix + path);
    it(`${path}: refuses the wrong type and what is out of range`, () => {
      for (const value of types) refused(value, TypeError, typeCode);
      for (const value of ranges) refused(value, RangeError, rangeCode);
    });
    it(`${path}: accepts what is right, and undefined`, () => {
      for (const value of [...good, undefined]) call(nest(path, value));
    });
  }
}

module.exports = {
  ARGUMENT,
  BAD_EVENTS,
  BAD_MS,
  BREAKS,
  COUNTS,
  GOOD_EVENTS,
  MS_MAX,
  NOT_NUMBERS,
  NOT_OBJECTS,
  NOT_STRINGS,
  OPTION,
  OURS,
  nest,
  table,
  throws,
};
