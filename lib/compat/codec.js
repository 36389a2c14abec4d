'use strict';

// From data to text, as sessions and event buffers may each be told. A pair of functions is one codec, whoever names it: a channel
// encodes once for all who have the same.

const errors = require('../errors');

const BREAKS = /\r\n|\r|\n/g;
const HAS_BREAK = /[\r\n]/;
const LAST_BREAKS = /\n+$/;

/** The default sanitizer: every line break is an LF, and none is left at the end. */
function sanitize(text) {
  if (typeof text !== 'string') throw errors.argError('what is written', 'text', text);
  return HAS_BREAK.test(text) ? text.replace(BREAKS, '\n').replace(LAST_BREAKS, '') : text;
}

/** The lines of a text whose breaks are those of any system. */
function linesOf(text) {
  return text.split(BREAKS);
}

/** Names and ids: a line break in one would begin a field of its own, or void it. @throws {TypeError} `ERR_FAN_ARG` */
function oneLine(text, name) {
  if (!HAS_BREAK.test(text)) return text;
  throw errors.argError(name, 'text without CR or LF', text);
}

class Codec {
  static #count = 0;

  constructor(serializer, sanitizer) {
    this.number = ++Codec.#count;
    this.serialize = serializer;
    this.sanitize = sanitizer;
  }

  text(data) {
    return this.sanitize(this.serialize(data));
  }

  /** The arguments of a send. An empty name is none: a page gets `message` either way. */
  event(data, eventName, eventId) {
    const event = this.sanitize(eventName);
    const id = this.sanitize(eventId);
    return [this.text(data), event === '' ? { id } : { event, id }];
  }
}

const codecs = new WeakMap(); // serializer → sanitizer → codec

/** @throws {TypeError} one of them is no function */
function codecOf({ serializer = JSON.stringify, sanitizer = sanitize } = {}) {
  for (const [name, value] of Object.entries({ serializer, sanitizer })) {
    if (typeof value !== 'function') throw errors.argError(name, 'a function', value);
  }
  if (!codecs.has(serializer)) codecs.set(serializer, new WeakMap());
  const those = codecs.get(serializer);
  if (!those.has(sanitizer)) those.set(sanitizer, new Codec(serializer, sanitizer));
  return those.get(sanitizer);
}

module.exports = { codecOf, linesOf, oneLine };
