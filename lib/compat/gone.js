'use strict';

// In place of a client where there never was one: the answer has no body, or nobody is there to read it.

const { newId } = require('../id');

const gone = {
  id: newId(),
  closed: 'server',
  bufferedBytes: 0,
  send: () => false,
  comment() {},
  retry() {},
  drain: async () => false,
  join: () => gone,
  leave: () => gone,
};

module.exports = { gone };
