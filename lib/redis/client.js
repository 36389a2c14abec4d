'use strict';

// The two client libraries, and their connections to a single server, a Cluster or behind Sentinel, as one thing: a command
// is an array of strings and bytes, and what is text in its answer comes as bytes.
//
// duplicate() makes a connection of our own to the same server. It ends when it is broken, for its owner begins anew with a
// look at where the stream stands; and nothing that the application has set may end a command that waits.

const errors = require('../errors');

const BLOB_STRING = 36; // RESP's `$`, as node-redis has it in a type mapping
const AS_BYTES = { typeMapping: { [BLOB_STRING]: Buffer } };

const isFunction = (object, name) => typeof object?.[name] === 'function';

/** ioredis 5 and 6: Redis and Cluster. */
class IoRedis {
  constructor(client) {
    this.client = client;
  }

  /** Of no use for commands? */
  get isSubscriber() {
    return this.client.mode === 'subscriber';
  }

  call([name, ...args]) {
    return this.client.callBuffer(name, ...args);
  }

  duplicate() {
    const own = {
      lazyConnect: false,
      enableOfflineQueue: true,
      maxRetriesPerRequest: null,
      retryStrategy: null,
      autoResendUnfulfilledCommands: false,
      commandTimeout: undefined,
      blockingTimeout: undefined,
      socketTimeout: undefined,
    };
    const { client } = this;
    if (!client.isCluster) return new IoRedis(client.duplicate(own));
    const { retryStrategy, ...node } = own; // how it finds its servers again is a Cluster's own affair
    return new IoRedis(
      client.duplicate([], {
        lazyConnect: false,
        enableOfflineQueue: true,
        scaleReads: 'master',
        redisOptions: { ...client.options.redisOptions, ...node },
      }),
    );
  }

  async connect() {}

  async close() {
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

  /** RESP3 has room for both. */
  get isSubscriber() {
    return this.client.isPubSubActive === true && this.client.options?.RESP === 2;
  }

  async call(args, key) {
    const { client } = this;
    if (this._isCluster) return client.sendCommand(key, false, args, AS_BYTES);
    if (this._isSentinel) return client.sendCommand(false, args, AS_BYTES);
    return client.sendCommand(args, AS_BYTES);
  }

  duplicate() {
    const { client } = this;
    if (this._isCluster || this._isSentinel) return new NodeRedis(client.duplicate());
    const socket = {
      ...client.options?.socket,
      reconnectStrategy: false,
      socketTimeout: undefined,
    };
    return new NodeRedis(client.duplicate({ disableOfflineQueue: false, socket }));
  }

  async connect() {
    await this.client.connect();
  }

  async close() {
    await this.client.destroy();
  }
}

/**
 * @param {object} client of `ioredis` or `redis`
 * @throws {TypeError} `ERR_FAN_ARG`
 */
function wrap(client) {
  let connection = null;
  if (isFunction(client, 'duplicate')) {
    if (isFunction(client, 'callBuffer')) connection = new IoRedis(client);
    else if (isFunction(client, 'sendCommand')) connection = new NodeRedis(client);
  }
  if (connection === null)
    throw errors.argError('client', 'a client of ioredis 5 or 6, or of redis 5 or 6', client);
  if (connection.isSubscriber)
    throw errors.argError('client', 'a connection that is not in subscriber mode', client);
  return connection;
}

module.exports = { wrap };
