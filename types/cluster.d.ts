import type { Adapter } from './adapter';

export interface ClusterOptions {
  /** Hubs with the same one are one hub. Default `fanline`. */
  prefix?: string | undefined;
  /** Events that the primary keeps: the most that any hub of the prefix asks for. Default 10 000. */
  maxLen?: number | undefined;
  /** Bytes that they may have: as above. Default 64 MiB. */
  maxBytes?: number | undefined;
  /** Bytes of sends that may wait in this process to be accepted. Default 16 MiB. */
  maxPendingBytes?: number | undefined;
}

/**
 * In the primary, before it forks: opens it to its workers, for `clusterAdapter()` there. Does nothing the second time, and
 * nothing in a worker.
 * @throws Error `ERR_FAN_ADAPTER` in a worker thread
 */
export function setupPrimary(): void;

/**
 * An adapter for the workers of `node:cluster` on one machine, and for the primary itself, where it calls `setupPrimary()`. The
 * primary puts the events of all in order and keeps the last of them in its memory.
 * @throws TypeError or RangeError `ERR_FAN_OPTION`
 * @throws Error `ERR_FAN_ADAPTER`: the primary has not called `setupPrimary()` before it forked this worker; or this is a worker
 *   thread
 */
export function clusterAdapter(options?: ClusterOptions): Adapter;
