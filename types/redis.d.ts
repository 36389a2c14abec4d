import type { Adapter } from './adapter';

/** A client of `ioredis` 5 or 6: Redis, or Cluster. */
export interface IoRedisLike {
  callBuffer(command: string, ...args: any[]): any;
  duplicate(...args: any[]): any;
}

/** A client of `redis` 5 or 6: of `createClient`, `createCluster` or `createSentinel`. */
export interface NodeRedisLike {
  sendCommand(...args: any[]): any;
  duplicate(...args: any[]): any;
}

export interface RedisOptions {
  /** Of all keys, as a hash tag, so that they lie in one slot of a Cluster. No braces. Default `fanline`. */
  prefix?: string | undefined;
  /** Events that the stream keeps, about. Default 10 000. */
  maxLen?: number | undefined;
  /** ms after which an event may be let go of; 0: only `maxLen` counts. Needs Redis 6.2. Default 0. */
  maxAge?: number | undefined;
  /** Bytes of sends that may wait to be accepted. Default 16 MiB. */
  maxPendingBytes?: number | undefined;
}

/**
 * An adapter on Redis Streams. The connection is the application's, which opens and closes it; the adapter makes one more of the
 * same kind for itself, to read, and closes that with its hub.
 * @throws TypeError `ERR_FAN_ARG`: no such client; `ERR_FAN_OPTION`
 * @throws RangeError `ERR_FAN_OPTION`
 */
export function redisAdapter(client: IoRedisLike | NodeRedisLike, options?: RedisOptions): Adapter;
