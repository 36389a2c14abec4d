'use strict';

// What both endpoints ask of an answer: that there are not too many at a time, and that none takes for ever.

const { problem } = require('./input');
const { ask, counts } = require('./parrot');

const AT_ONCE = 100;
const LONGEST = 120_000; // ms

/** For sse(). Silent models are no silent streams. */
const STREAM = { heartbeat: Number(process.env.HEARTBEAT || 15_000) };

/** Before the stream begins: a status can still say no. */
function checkRoom() {
  if (counts.running >= AT_ONCE) throw problem(429, 'Too many questions at a time');
}

/** The time is up: that is an error, which the reader is told. The user has left: nobody is there to be told anything. */
function answer(order, signal) {
  return ask(order, AbortSignal.any([signal, AbortSignal.timeout(LONGEST)]));
}

module.exports = { STREAM, answer, checkRoom };
