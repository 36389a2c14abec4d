'use strict';

// iterate() and stream() of sessions and event buffers: each value is pushed as an event of its own.

const { StringDecoder } = require('node:string_decoder');
const { Readable } = require('node:stream');

/**
 * @param {object} target has `push`; with `_room()` it is waited for behind each event
 * @param {Iterable|AsyncIterable} iterable
 */
async function iterate(target, iterable, { eventName = 'iteration' } = {}) {
  for await (const data of iterable) {
    target.push(data, eventName);
    await target._room?.();
  }
}

/** The chunks of a Node stream, bytes as text. */
async function* textOf(readable) {
  const decoder = new StringDecoder('utf8');
  for await (const chunk of readable) {
    const text = Buffer.isBuffer(chunk) ? decoder.write(chunk) : chunk;
    if (text !== '' || chunk === '') yield text;
  }
  const rest = decoder.end();
  if (rest !== '') yield rest;
}

/** A stream that was destroyed without an error has simply ended. */
const isJustEnded = (stream, err) =>
  err.code === 'ERR_STREAM_PREMATURE_CLOSE' && stream.destroyed && !stream.errored;

async function stream(target, source, { eventName = 'stream' } = {}) {
  const isNode = source instanceof Readable;
  try {
    await iterate(target, isNode ? textOf(source) : source, { eventName });
  } catch (err) {
    if (!isNode || !isJustEnded(source, err)) throw err;
  }
  return true;
}

module.exports = { iterate, stream };
