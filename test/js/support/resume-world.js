'use strict';

// What tests of coming back have in common: a hub on a stage, what a page shows of a stream, and what it would come back with.

const { createHub } = require('fanline');
const { EventParser } = require('./event-parser');
const { Stage } = require('./stage');

/** The data of an event, with its name unless it is a plain message. */
const told = ({ event, data }) => (event === undefined ? data : `${event} ${data}`);

/** The next `count` events. */
async function reads(stream, count) {
  const list = [];
  while (list.length < count) {
    const event = await stream.next();
    if (event === null) throw new Error(`the stream ended behind ${list.join(', ')}`);
    list.push(told(event));
  }
  return list;
}

/** What an EventSource would send if it came back now; undefined: nothing. */
function cursorOf(stream) {
  const parser = new EventParser(() => {});
  parser.feed(stream.text);
  return parser.lastEventId || undefined;
}

/** A promise, and the two ends of it. */
function deferred() {
  let ends;
  const promise = new Promise((resolve, reject) => {
    ends = { resolve, reject };
  });
  return { promise, ...ends };
}

/** A hub on a stage. `ends`: what its `disconnect` events said. */
class World {
  static async of(options) {
    const world = new World();
    world.hub = createHub({ heartbeat: false, retry: false, ...options });
    world.ends = [];
    world.hub.on('disconnect', (...args) => world.ends.push(args));
    world.stage = await Stage.on(world.hub);
    return world;
  }

  async close() {
    await this.hub.close({ grace: 0 });
    await this.stage.close();
  }
}

module.exports = { World, cursorOf, deferred, reads, told };
