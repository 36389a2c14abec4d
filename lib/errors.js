'use strict';

// Coded errors in the manner of Node's own: `name` stays TypeError, RangeError or Error, `code` is
// what a program looks at, the stack begins with `TypeError [ERR_FAN_ARG]: ...`. Every exported
// function returns the error; its caller throws. Messages name the argument, what was expected and
// what was received, and stay short whatever was received.

const { inspect } = require('node:util');

const TEXT_MAX = 28; // characters of a received string or name that a message shows
const PATH_MAX = 80; // characters of a path that a message shows
const BIGINT_MAX = 10n ** 20n; // beyond it a bigint is not printed

/** One line, whatever the string holds. */
function show(value) {
  return inspect(value, { breakLength: Infinity });
}

/** A string cut to `max` characters; the cut is visible. */
function cut(text, max) {
  return text.length > max ? `${text.slice(0, max - 3)}...` : text;
}

/** An argument's path, one line and short even when a key in it came from a request. */
function quote(path) {
  const text = show(cut(String(path), PATH_MAX));
  return `"${text.slice(1, -1)}"`;
}

/** The class of an object, without running more of the object's code than a getter. */
function className(object) {
  try {
    const name = object.constructor?.name;
    return typeof name === 'string' && name !== '' ? cut(name, TEXT_MAX) : 'Object';
  } catch {
    return 'Object';
  }
}

/** `an instance of Map`, `type string ('ab...')`: never the contents of an object. */
function describe(value) {
  switch (typeof value) {
    case 'undefined':
      return 'undefined';
    case 'function':
      return `function ${cut(String(value.name), TEXT_MAX)}`.trimEnd();
    case 'string':
      return `type string (${show(cut(value, TEXT_MAX))})`;
    case 'symbol':
      return `type symbol (${show(cut(value.description ?? '', TEXT_MAX))})`;
    case 'bigint':
      return value > BIGINT_MAX || value < -BIGINT_MAX ? 'type bigint' : `type bigint (${value}n)`;
    case 'object':
      return value === null ? 'null' : `an instance of ${className(value)}`;
    default:
      return `type ${typeof value} (${show(value)})`;
  }
}

/**
 * Levenshtein distance, ignoring case. Both strings are short: `nearest` sees to it.
 */
function distance(a, b) {
  const left = a.toLowerCase();
  const right = b.toLowerCase();
  let row = Array.from({ length: right.length + 1 }, (_, i) => i);
  for (let i = 1; i <= left.length; i++) {
    const next = [i];
    for (let j = 1; j <= right.length; j++) {
      const swap = row[j - 1] + (left[i - 1] === right[j - 1] ? 0 : 1);
      next.push(Math.min(swap, row[j] + 1, next[j - 1] + 1));
    }
    row = next;
  }
  return row[right.length];
}

/** The known path nearest to `path`; `queueBytes` alone finds `limits.queueBytes`. */
function nearest(path, known) {
  const wanted = cut(String(path), PATH_MAX);
  let best = known[0];
  let least = Infinity;
  for (const name of known) {
    const last = name.slice(name.lastIndexOf('.') + 1);
    const d = Math.min(distance(wanted, name), distance(wanted, last) + 0.5);
    if (d < least) {
      least = d;
      best = name;
    }
  }
  return best;
}

/**
 * Makes the error. `factory` and what is above it stay out of the stack.
 */
function coded(Base, code, message, factory, cause) {
  const err = new Base(message, cause === undefined ? undefined : { cause });
  const name = `${Base.name} [${code}]`;
  Object.defineProperty(err, 'name', { value: name, configurable: true, writable: true });
  Error.captureStackTrace?.(err, factory);
  void err.stack; // some engines put the stack's first line together only when it is read
  delete err.name;
  err.code = code;
  return err;
}

function mustBe(what, path, expected, received) {
  return `The ${quote(path)} ${what} must be ${expected}. Received ${describe(received)}`;
}

function unknown(path, known, where) {
  const hint = known.length > 0 ? `. Did you mean "${nearest(path, known)}"?` : '';
  return `Unknown option ${quote(path)}${where ? ` in ${where}` : ''}${hint}`;
}

/**
 * An option of the wrong type or with a value that is not in its list.
 * @param {string} path for example `limits.clients`
 * @param {string} expected completes "must be ..."
 * @param {unknown} received
 * @returns {TypeError} `ERR_FAN_OPTION`
 */
function optionError(path, expected, received) {
  const message = mustBe('option', path, expected, received);
  return coded(TypeError, 'ERR_FAN_OPTION', message, optionError);
}

/**
 * An option of the right type, out of range.
 * @param {string} path
 * @param {string} expected completes "must be ..."
 * @param {unknown} received
 * @returns {RangeError} `ERR_FAN_OPTION`
 */
function optionRange(path, expected, received) {
  const message = mustBe('option', path, expected, received);
  return coded(RangeError, 'ERR_FAN_OPTION', message, optionRange);
}

/**
 * An option that does not exist; the message names the nearest one that does.
 * @param {string} path for example `limits.client`
 * @param {string[]} known valid paths, in full
 * @param {string} [where] for example `createHub()`
 * @returns {TypeError} `ERR_FAN_OPTION`
 */
function unknownOption(path, known, where) {
  return coded(TypeError, 'ERR_FAN_OPTION', unknown(path, known, where), unknownOption);
}

/**
 * An argument of the wrong type or form.
 * @param {string} name for example `opts.rooms[1]`
 * @param {string} expected completes "must be ..."
 * @param {unknown} received
 * @returns {TypeError} `ERR_FAN_ARG`
 */
function argError(name, expected, received) {
  const message = mustBe('argument', name, expected, received);
  return coded(TypeError, 'ERR_FAN_ARG', message, argError);
}

/**
 * `unknownOption` for the options of one call.
 * @param {string} path for example `opts.room`
 * @param {string[]} known valid paths, in full
 * @param {string} [where] for example `connect()`
 * @returns {TypeError} `ERR_FAN_ARG`
 */
function unknownArg(path, known, where) {
  return coded(TypeError, 'ERR_FAN_ARG', unknown(path, known, where), unknownArg);
}

/**
 * An argument that has no meaning in this call.
 * @param {string} name for example `opts.rooms`
 * @param {string} why a sentence without its full stop
 * @returns {TypeError} `ERR_FAN_ARG`
 */
function refusedArg(name, why) {
  const message = `The ${quote(name)} argument cannot be given here: ${why}`;
  return coded(TypeError, 'ERR_FAN_ARG', message, refusedArg);
}

/**
 * An argument of the right type, out of range.
 * @param {string} name
 * @param {string} expected completes "must be ..."
 * @param {unknown} received
 * @returns {RangeError} `ERR_FAN_RANGE`
 */
function rangeError(name, expected, received) {
  const message = mustBe('argument', name, expected, received);
  return coded(RangeError, 'ERR_FAN_RANGE', message, rangeError);
}

/**
 * Data that cannot be serialised; nothing was sent.
 * @param {string} reason
 * @param {unknown} [cause] what `serialize` threw
 * @returns {TypeError} `ERR_FAN_DATA`
 */
function dataError(reason, cause) {
  const message = `The data cannot be serialised: ${cut(String(reason), 500)}`;
  return coded(TypeError, 'ERR_FAN_DATA', message, dataError, cause);
}

/**
 * An event larger than `limits.eventBytes`; nothing was sent.
 * @param {number} bytes size of the event
 * @param {number} limit bytes
 * @param {string} [name] of the limit
 * @returns {RangeError} `ERR_FAN_TOO_LARGE`
 */
function tooLarge(bytes, limit, name = 'limits.eventBytes') {
  const message = `The event is too large: ${bytes} bytes, ${name} is ${limit}`;
  return coded(RangeError, 'ERR_FAN_TOO_LARGE', message, tooLarge);
}

/**
 * A response that can no longer become an event stream.
 * @param {string} [detail]
 * @returns {Error} `ERR_FAN_HEADERS_SENT`
 */
function headersSent(detail) {
  const message = `The response has already sent its headers${detail ? `: ${detail}` : ''}`;
  return coded(Error, 'ERR_FAN_HEADERS_SENT', message, headersSent);
}

/**
 * A send that does not fit within `limits.totalBytes`; nothing was sent, nobody was ended.
 * @param {string} [detail]
 * @returns {Error} `ERR_FAN_FULL`
 */
function full(detail) {
  const message = `The hub is full${detail ? `: ${detail}` : ''}`;
  return coded(Error, 'ERR_FAN_FULL', message, full);
}

/**
 * Use of something that is closed.
 * @param {string} what for example `hub`
 * @param {string} [detail]
 * @returns {Error} `ERR_FAN_CLOSED`
 */
function closed(what, detail) {
  const message = `The ${what} is closed${detail ? `: ${detail}` : ''}`;
  return coded(Error, 'ERR_FAN_CLOSED', message, closed);
}

/**
 * The distribution engine can't do what was asked, or does not answer.
 * @param {string} message
 * @param {Error} [cause]
 * @returns {Error} `ERR_FAN_ADAPTER`
 */
function adapter(message, cause) {
  const error = coded(Error, 'ERR_FAN_ADAPTER', message, adapter);
  if (cause !== undefined) error.cause = cause;
  return error;
}

/**
 * What was waited for did not come.
 * @param {string} message
 * @returns {Error} `ERR_FAN_TIMEOUT`
 */
function timedOut(message) {
  return coded(Error, 'ERR_FAN_TIMEOUT', message, timedOut);
}

/**
 * Node's own error for a write behind an end.
 * @returns {Error} `ERR_STREAM_WRITE_AFTER_END`
 */
function writeAfterEnd() {
  const err = new Error('write after end');
  err.code = 'ERR_STREAM_WRITE_AFTER_END';
  return err;
}

module.exports = {
  adapter,
  argError,
  closed,
  dataError,
  full,
  headersSent,
  optionError,
  optionRange,
  rangeError,
  refusedArg,
  timedOut,
  tooLarge,
  unknownArg,
  unknownOption,
  writeAfterEnd,
};
