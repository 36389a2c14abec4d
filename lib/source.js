'use strict';

// What client.pipe() takes events from: iterables and streams, all of them asked as iterators are.

const { isUint8Array } = require('node:util').types;
const errors = require('./errors');

const SOURCE = 'an iterable (of events, not text or bytes), an async iterable or a stream';

const ignore = () => {};

function isSource(value) {
  if (typeof value !== 'object' || value === null || isUint8Array(value)) return false;
  const methods = [value[Symbol.asyncIterator], value[Symbol.iterator], value.getReader];
  return methods.some((method) => typeof method === 'function');
}

/** @throws {TypeError} `ERR_FAN_ARG`: neither a source nor a function */
function checkSource(value) {
  if (typeof value === 'function' || isSource(value)) return;
  throw errors.argError('source', `${SOURCE}, or a function that answers one`, value);
}

/** What a function answers, or promises. */
async function sourceOf(make, signal) {
  const source = await make(signal);
  if (isSource(source)) return source;
  throw errors.argError('source()', `answered with ${SOURCE}`, source);
}

/**
 * The iterators that streams have wait for the chunk that is on its way before they look at return(); these do not: the
 * stream is cancelled or destroyed at once.
 */
function iteratorOf(source) {
  if (typeof source.getReader === 'function') {
    const reader = source.getReader();
    return { next: () => reader.read(), return: () => reader.cancel() };
  }
  const iterator = (source[Symbol.asyncIterator] ?? source[Symbol.iterator]).call(source);
  if (typeof source.pipe !== 'function' || typeof source.destroy !== 'function') return iterator;
  source.on('error', ignore); // next() tells of it, also when the stream failed before it was called
  return { next: () => iterator.next(), return: () => source.destroy() };
}

/** Tells a source that it is not needed any more. What comes of that concerns nobody. */
function letGo(iterator) {
  try {
    Promise.resolve(iterator.return?.()).catch(ignore);
  } catch {}
}

function discard(source) {
  try {
    letGo(iteratorOf(source));
  } catch {}
}

module.exports = { checkSource, discard, iteratorOf, letGo, sourceOf };
