'use strict';

// Ids of clients: random, so that a page may show its own as proof of who it is.

const { randomFillSync } = require('node:crypto');

const ID_BYTES = 16; // 22 characters of base64url
const pool = Buffer.alloc(ID_BYTES * 256);
let pooled = pool.length;

/** @returns {string} */
function newId() {
  if (pooled === pool.length) {
    randomFillSync(pool);
    pooled = 0;
  }
  const id = pool.toString('base64url', pooled, pooled + ID_BYTES);
  pooled += ID_BYTES;
  return id;
}

module.exports = { newId };
