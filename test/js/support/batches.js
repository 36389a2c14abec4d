'use strict';

// For the tests of Target.batch(): a hub for each test, readers in room `r`, and the arrays that they get.

const assert = require('node:assert/strict');
const { createHub } = require('fanline');
const { Stage } = require('./stage');

/** Call inside a `describe`: what it starts ends with each test. */
function batches() {
  let hub;
  let stage;

  afterEach(async () => {
    await hub?.close({ grace: 0 });
    await stage?.close();
    hub = stage = undefined;
  });

  async function start(options) {
    hub = createHub({ heartbeat: false, retry: false, ...options });
    stage = await Stage.on(hub);
    return { hub, stage };
  }

  /** One reader in room `r`, and a batch for the room. */
  async function reader(opts, options) {
    await start(options);
    const { stream, client } = await stage.connect({ rooms: 'r' });
    return { hub, stage, stream, client, batch: hub.to('r').batch(opts) };
  }

  /** The array in the next event, which is named `name`. */
  async function arrayOf(stream, name = 'batch') {
    const { event, data } = await stream.next();
    assert.equal(event, name);
    return JSON.parse(data);
  }

  return { start, reader, arrayOf };
}

module.exports = { batches };
