'use strict';

// Text that an application writes itself, in pieces of any size, is passed on in whole blocks: a block ends with a
// blank line (WHATWG HTML 9.2.5; a line ends with LF, CR or CRLF), so that nothing of ours can come in its middle.

const errors = require('./errors');

const EMPTY = Buffer.alloc(0);
const LF = 10;
const CR = 13;

/** What write() and end() of a response accept. */
function toBytes(chunk, encoding) {
  if (typeof chunk === 'string') return Buffer.from(chunk, encoding || 'utf8');
  if (chunk instanceof Uint8Array) return chunk;
  throw errors.argError('chunk', 'a string, Buffer or Uint8Array', chunk);
}

class Gatherer {
  constructor() {
    this._rest = EMPTY;
    this._lineEmpty = true;
    this._afterCr = false;
  }

  /** Bytes that wait for their blank line. */
  get size() {
    return this._rest.length;
  }

  /**
   * Adds bytes; each is looked at once.
   * @param {Uint8Array} bytes
   * @returns {Buffer|null} all complete blocks so far, or null
   */
  push(bytes) {
    const end = this._scan(bytes);
    if (end === 0) {
      this._rest = Buffer.concat([this._rest, bytes]);
      return null;
    }
    const whole = Buffer.concat([this._rest, bytes.subarray(0, end)]);
    this._rest = end === bytes.length ? EMPTY : Buffer.from(bytes.subarray(end));
    return whole;
  }

  /** @returns {Buffer|null} what is left, complete or not */
  take() {
    const rest = this._rest;
    this._rest = EMPTY;
    return rest.length > 0 ? rest : null;
  }

  /** Answers where the last complete block ends, 0 if none does. */
  _scan(bytes) {
    let end = 0;
    for (let i = 0; i < bytes.length; i++) {
      const byte = bytes[i];
      if (byte === LF && this._afterCr) {
        if (end === i) end = i + 1; // the second half of a CRLF that ended a block
        this._afterCr = false;
      } else if (byte === LF || byte === CR) {
        if (this._lineEmpty) end = i + 1;
        this._lineEmpty = true;
        this._afterCr = byte === CR;
      } else {
        this._lineEmpty = false;
        this._afterCr = false;
      }
    }
    return end;
  }
}

module.exports = { Gatherer, toBytes };
