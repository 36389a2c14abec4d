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

/** The same without its `id` lines (WHATWG HTML 9.2.6: the field's name ends at the first colon, or at the line's end). */
function withoutIds(block) {
  if (!block.includes('id')) return block;
  const text = block.toString('latin1'); // each byte a character, so that nothing else is changed
  const kept = text.replace(/(^|\r\n|\r|\n)(?:id(?::[^\r\n]*)?(?:\r\n|\r|\n|$))+/g, '$1');
  return kept.length === text.length ? block : Buffer.from(kept, 'latin1');
}

class Gatherer {
  /** @param {boolean} dropIds ids are the hub's: `id` lines are left out */
  constructor(dropIds) {
    this._dropIds = dropIds;
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
   * @returns {Buffer[]} the blocks that are complete now
   */
  push(bytes) {
    const blocks = [];
    let from = 0;
    for (const end of this._scan(bytes)) {
      const block = this._cleared(Buffer.concat([this._rest, bytes.subarray(from, end)]));
      if (block.length > 0) blocks.push(block);
      this._rest = EMPTY;
      from = end;
    }
    this._rest = Buffer.concat([this._rest, bytes.subarray(from)]);
    return blocks;
  }

  /** @returns {Buffer|null} what is left, complete or not */
  take() {
    const rest = this._rest;
    this._rest = EMPTY;
    const text = this._cleared(rest);
    return text.length > 0 ? text : null;
  }

  _cleared(block) {
    return this._dropIds ? withoutIds(block) : block;
  }

  /** Answers where blocks end. */
  _scan(bytes) {
    const ends = [];
    for (let i = 0; i < bytes.length; i++) {
      const byte = bytes[i];
      if (byte === LF && this._afterCr) {
        if (ends.at(-1) === i) ends[ends.length - 1] = i + 1; // the second half of a CRLF that ended a block
        this._afterCr = false;
      } else if (byte === LF || byte === CR) {
        if (this._lineEmpty) ends.push(i + 1);
        this._lineEmpty = true;
        this._afterCr = byte === CR;
      } else {
        this._lineEmpty = false;
        this._afterCr = false;
      }
    }
    return ends;
  }
}

/**
 * Blocks as few buffers as possible, none larger than `limit`.
 * @param {Buffer[]} blocks none larger than `limit`
 * @param {number} limit bytes
 * @returns {Buffer[]}
 */
function joined(blocks, limit) {
  const groups = [];
  let group = [];
  let size = 0;
  for (const block of blocks) {
    if (size + block.length > limit) {
      groups.push(group);
      group = [];
      size = 0;
    }
    group.push(block);
    size += block.length;
  }
  groups.push(group);
  return groups.filter((list) => list.length > 0).map((list) => Buffer.concat(list));
}

module.exports = { Gatherer, joined, toBytes };
