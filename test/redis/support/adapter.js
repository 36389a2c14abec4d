'use strict';

// For links in workers (test/adapters/support/remote.js), with a client of their own.

const { Redis } = require('ioredis');
const { redisAdapter } = require('fanline/redis');

module.exports = ({ port, ...options }) => redisAdapter(new Redis(port, '127.0.0.1'), options);
