'use strict';

const { createHub } = require('../..');
const fanline = require('./fanline');

const OPTIONS = { transport: 'detached' };

module.exports = {
  ...fanline,
  what: "fanline with transport: 'detached': Node's request, response and socket are given up once the stream is open",
  missing() {
    try {
      createHub(OPTIONS).close();
    } catch (err) {
      return err.message;
    }
  },
  create: (options) => fanline.create(options, OPTIONS),
};
