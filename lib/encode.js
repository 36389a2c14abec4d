'use strict';

// From the application's data to what the addon encodes, and from its answers to coded errors.

const { isUint8Array } = require('node:util').types;
const errors = require('./errors');
const { native } = require('./loop');

const { TOOLARGE, FULL, NOMEM } = native.errors;
const NAME_BYTES = 4096;

/**
 * What is sent for `data`.
 * @param {(data: any) => string|Uint8Array} serialize
 * @returns {string|Uint8Array}
 * @throws {TypeError} `ERR_FAN_DATA`
 */
function serialized(serialize, data) {
  if (typeof data === 'function' || typeof data === 'symbol' || data === undefined) {
    throw errors.dataError(`a value of type ${typeof data}`);
  }
  if (isUint8Array(data)) return data; // UTF-8 already
  let text;
  try {
    text = serialize(data);
  } catch (err) {
    throw errors.dataError(err?.message ?? String(err), err);
  }
  if (typeof text === 'string' || isUint8Array(text)) return text;
  throw errors.dataError(
    `serialize answered a value of type ${text === null ? 'null' : typeof text}`,
  );
}

function bytesOf(text) {
  return typeof text === 'string' ? Buffer.byteLength(text) : text.byteLength;
}

/**
 * The same refusals that the addon would make, for a send that matches nobody and so does not reach it.
 * @throws {RangeError} `ERR_FAN_TOO_LARGE`
 */
function checkSize(text, opts, eventBytes) {
  if (bytesOf(text) > eventBytes) throw errors.tooLarge(bytesOf(text), eventBytes);
  if (opts === undefined) return;
  for (const name of [opts.event, opts.id, opts.key]) {
    if (typeof name === 'string' && Buffer.byteLength(name) > NAME_BYTES) {
      throw errors.tooLarge(Buffer.byteLength(name), NAME_BYTES, 'the limit of a name, id or key');
    }
  }
}

/**
 * The error that a negative answer of the addon stands for.
 * @param {number} code negative
 * @param {string|Uint8Array} text what was to be sent
 * @param {object|undefined} opts the options of the send
 * @param {object} limits of the hub
 * @returns {Error}
 */
function refusal(code, text, opts, limits) {
  switch (code) {
    case TOOLARGE:
      try {
        checkSize(text, opts, limits.eventBytes);
      } catch (err) {
        return err;
      }
      return errors.tooLarge(
        bytesOf(text),
        limits.totalBytes / 2,
        'what its lines may come to, half of limits.totalBytes,',
      );
    case FULL:
      return errors.full(`limits.totalBytes (${limits.totalBytes}) is used up`);
    case NOMEM:
      return errors.full('out of memory');
    default:
      return new Error(`fanline: unexpected error ${code}`);
  }
}

module.exports = { checkSize, refusal, serialized };
