'use strict';

// The two client libraries, and their connections to a single server, a Cluster or behind Sentinel, as one thing: a command
// is an array of strings and bytes, and what is text in its answer comes as bytes.

const errors = require('../errors');

const BLOB_STRING = 36; // RESP's `$`, as node-redis has it in a type mapping
const AS_BYTES = { typeMapping: { [BLOB_STRING]: Buffer } };

const isFunction = (object, name) => typeof object?.[name] === 'function';

/** ioredis 5 and 6: Redis and Cluster. */
class IoRedis {
  constructor(client) {
    this.client = client;
  }

  call([name, ...args]) {
    return this.client.callBuffer(name, ...args);
  }

  /** A connection of our own to the same server: it waits for ever, and is told of nothing that the application does. */
  duplicate() {
    const own = { maxRetriesPerRequest: null, enableOfflineQueue: true, lazyConnect: false };
    const { client } = this;
    const copy = client.isCluster
      ? client.duplicate([], { redisOptions: { ...client.options.redisOptions, ...own } })
      : client.duplicate(own);
    return new IoRedis(copy);
  }

  async connect() {}

  close() {
    this.client.disconnect();
  }
}

/** redis (node-redis) 5 and 6: createClient, createCluster, createSentinel. */
class NodeRedis {
  constructor(client) {
    this.client = client;
    this._isCluster = isFunction(client, 'nodeClient') || client.masters !== undefined;
    this._isSentinel = isFunction(client, 'getSentinelNode') || isFunction(client, 'acquire');
  }

  call(args, key) {
    const { client } = this;
    if (this._isCluster) return client.sendCommand(key, false, args, AS_BYTES);
    if (this._isSentinel) return client.sendCommand(false, args, AS_BYTES);
    return client.sendCommand(args, AS_BYTES);
  }

  duplicate() {
    return new NodeRedis(this.client.duplicate());
  }

  connect() {
    return this.client.connect();
  }

  close() {
    this.client.destroy();
  }
}

/**
 * @param {object} client of `ioredis` or `redis`
 * @throws {TypeError} `ERR_FAN_ARG`
 */
function wrap(client) {
  if (isFunction(client, 'callBuffer') && isFunction(client, 'duplicate'))
    return new IoRedis(client);
  if (isFunction(client, 'sendCommand') && isFunction(client, 'duplicate')) {
    return new NodeRedis(client);
  }
  throw errors.argError('client', 'a client of ioredis 5 or 6, or of redis 5 or 6', client);
}

module.exports = { wrap };
