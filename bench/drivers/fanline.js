'use strict';

const { createHub } = require('../..');

/** Broadcasting as an application would: everyone is in one room. */
module.exports = function driver() {
  const hub = createHub();
  return {
    connect: (req, res) => hub.connect(req, res, { rooms: 'all' }),
    broadcast: (text) => hub.to('all').send(text),
    stats: () => hub.stats(),
  };
};
