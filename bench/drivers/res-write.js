'use strict';

const { once } = require('node:events');
const { byHand } = require('./support/by-hand');
const { eventOf } = require('./support/event');

const way = {
  encode: (event) => event,
  write: (res, event) => res.write(event),
  writeAll(res, events) {
    for (const event of events) res.write(event);
  },
  streamOf: (res) => ({
    send: (text) => res.write(eventOf(text)),
    async pipe(source) {
      for await (const text of source) {
        if (res.destroyed) break;
        if (!res.write(eventOf(text))) await once(res, 'drain');
      }
      res.end();
    },
    end: () => res.end(),
  }),
};

module.exports = {
  what: 'written by hand: a loop over res.write; what a client has missed is a res.write each',
  versions: () => ({}),
  has: byHand.has,
  create: async (options, tls) => byHand(options, way, tls),
};
