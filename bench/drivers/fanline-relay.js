'use strict';

const fanline = require('./fanline');

module.exports = {
  ...fanline,
  what: "fanline with transport: 'relay': writes through Node's response, as it does behind middleware that compresses",
  create: (options) => fanline.create(options, { transport: 'relay' }),
};
