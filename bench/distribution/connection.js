'use strict';

/** A connection to the Redis of this run, of the same library for every driver. */
module.exports = async function connect(library, port) {
  if (library === 'ioredis') {
    const { Redis } = require('ioredis');
    return new Redis(port, '127.0.0.1');
  }
  const { createClient } = require('redis');
  const client = createClient({ url: `redis://127.0.0.1:${port}` });
  client.on('error', () => {});
  return client.connect();
};
