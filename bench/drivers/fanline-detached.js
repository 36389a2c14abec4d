'use strict';

const fanline = require('./fanline');

module.exports = {
  ...fanline,
  what: "fanline with transport: 'detached': Node's request, response and socket are given up once the stream is open",
  create: (options) => fanline.create(options, { transport: 'detached' }),
};
