'use strict';

// For a sample that runs in a process of its own: whatever port it names, it listens on a free one of the loopback, and tells.

const net = require('node:net');

const { listen } = net.Server.prototype;
net.Server.prototype.listen = function (...args) {
  const listener = args.at(-1);
  this.once('listening', () => process.send(this.address().port));
  return listen.call(this, 0, '127.0.0.1', typeof listener === 'function' ? listener : undefined);
};
