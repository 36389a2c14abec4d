'use strict';

// What the tests of client.pipe() have in common: a server on each transport, a source that is led by hand, and a look at
// what nobody has handled.

const assert = require('node:assert/strict');
const { setImmediate } = require('node:timers/promises');
const { createHub } = require('fanline');
const { Stage } = require('./stage');

const QUIET = { heartbeat: false, retry: false, history: false };
const TRANSPORTS = { fd: 'auto', relay: 'relay' };

/** Runs the tests that `define` makes on each transport. It is given what starts a Stage, which ends with the test. */
function overTransports(define) {
  for (const [name, transport] of Object.entries(TRANSPORTS)) {
    describe(name, () => {
      const stages = [];
      const start = async (options) => {
        const stage = await Stage.on(createHub({ ...QUIET, transport, ...options }));
        stages.push(stage);
        return stage;
      };
      afterEach(async () => {
        for (const stage of stages.splice(0)) {
          await stage.close();
          await stage.hub.close({ grace: 0 });
        }
      });
      define(start, name);
    });
  }
}

/** An async iterable that gives when it is told to, and remembers what was asked of it. */
class Led {
  constructor() {
    this.asked = 0;
    this.returned = []; // performance.now() of each return()
    this._waiting = [];
  }

  [Symbol.asyncIterator]() {
    return this;
  }

  next() {
    this.asked++;
    return new Promise((resolve, reject) => this._waiting.push({ resolve, reject }));
  }

  return() {
    this.returned.push(performance.now());
    return { done: true };
  }

  give(value) {
    this._waiting.shift().resolve({ done: false, value });
  }

  end() {
    this._waiting.shift().resolve({ done: true });
  }

  fail(err) {
    this._waiting.shift().reject(err);
  }
}

/** Rejections that nobody handles while `run` does; they have become known when it answers. */
async function unhandledIn(run) {
  const unhandled = [];
  const onUnhandled = (err) => unhandled.push(err);
  // mocha's own listeners would end the whole run, and not name the test
  const others = process.listeners('unhandledRejection');
  process.removeAllListeners('unhandledRejection');
  process.on('unhandledRejection', onUnhandled);
  try {
    await run();
    await setImmediate();
    await setImmediate();
  } finally {
    process.removeListener('unhandledRejection', onUnhandled);
    for (const listener of others) process.on('unhandledRejection', listener);
  }
  return unhandled;
}

/** The body of a stream with that text, behind the comment with which it opens. `[fence]` stands for the id of an end for good. */
function assertBody(stream, text) {
  const body = stream.text.replace(/^id: fanline:end:\d+$/m, 'id: [fence]');
  assert.equal(body, `:\n${text}`);
}

module.exports = { Led, QUIET, assertBody, overTransports, unhandledIn };
