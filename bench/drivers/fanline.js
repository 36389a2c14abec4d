'use strict';

const { createHub, sse } = require('../..');

/** Broadcasting as an application would: everyone is in one room. Like the others it keeps no history. */
module.exports = function driver() {
  const hub = createHub({ history: false });
  return {
    connect: (req, res) => hub.connect(req, res, { rooms: 'all' }),
    stream(req, res) {
      const client = sse(req, res);
      return (source) => client.pipe(source);
    },
    broadcast: (text) => hub.to('all').send(text),
    stats: () => hub.stats(),
  };
};
