import redis from './index.js';

export const { redisAdapter } = redis;
