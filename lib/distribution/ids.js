'use strict';

// Ids of events that an adapter orders: `<ms>-<n>`, those of a Redis stream. As numbers they rise in the same order, so that
// the history in this process and cursors from any other speak of the same thing.

const PER_MS = 2048; // ids of one millisecond; 2^53 / 2048 lasts until 2109
const ID = /^(0|[1-9]\d{0,12})-(0|[1-9]\d{0,3})$/;

/**
 * @param {string} id anything
 * @returns {number} its place in the order, -1: it is none
 */
function seqOf(id) {
  const found = ID.exec(id);
  if (found === null || Number(found[2]) >= PER_MS) return -1;
  return Number(found[1]) * PER_MS + Number(found[2]);
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

module.exports = { PER_MS, idOf, nextSeq, seqOf };
