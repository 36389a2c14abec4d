'use strict';

// Ids of events that an adapter orders: `<ms>-<n>`, those of a Redis stream. As numbers they rise in the same order, so that
// the history in this process and cursors from any other speak of the same thing.

const PER_MS = 2048; // ids of one millisecond; 2^53 / 2048 lasts until 2109
const MS_DIGITS = 13;
const LENGTH = MS_DIGITS + 5; // of the longest id
const ZERO = 0x30;

/** The decimal number between two places of a text; -1: there is none, or it is not written as we write it. */
function numberIn(text, from, to) {
  if (from === to || (text.charCodeAt(from) === ZERO && to - from > 1)) return -1;
  let number = 0;
  for (let i = from; i < to; i++) {
    const digit = text.charCodeAt(i) - ZERO;
    if (!(digit >= 0 && digit <= 9)) return -1;
    number = number * 10 + digit;
  }
  return number;
}

/**
 * @param {string} id anything
 * @returns {number} its place in the order, -1: it is none
 */
function seqOf(id) {
  if (typeof id !== 'string' || id.length > LENGTH) return -1;
  const dash = id.indexOf('-');
  if (dash < 0 || dash > MS_DIGITS) return -1;
  const ms = numberIn(id, 0, dash);
  const n = numberIn(id, dash + 1, id.length);
  return ms < 0 || n < 0 || n >= PER_MS ? -1 : ms * PER_MS + n;
}

/** @returns {string} */
function idOf(seq) {
  return `${Math.floor(seq / PER_MS)}-${seq % PER_MS}`;
}

/**
 * The id behind `last`, for whoever orders events.
 * @param {number} last seq
 * @param {number} now ms
 * @returns {number} seq: never less than what the clock says, and always more than `last`
 */
function nextSeq(last, now = Date.now()) {
  return Math.max(last + 1, now * PER_MS);
}

module.exports = { PER_MS, idOf, nextSeq, numberIn, seqOf };
