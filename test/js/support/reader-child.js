'use strict';

// The child process of readers.js: groups of readers, commanded by messages `{ call, group, method, args }`.

const { Group } = require('./reader');

const groups = new Map();

process.on('message', async ({ call, group, method, args }) => {
  try {
    if (method === 'new') groups.set(group, new Group(args[0]));
    const result = method === 'new' ? null : await groups.get(group)[method](...args);
    process.send({ call, result });
  } catch (err) {
    process.send({ call, error: err.stack });
  }
});

process.on('disconnect', () => process.exit());
