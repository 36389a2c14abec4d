// What `Target.batch` takes and answers.

import type { DataOf, DefaultEvents, EventName, MessageData, Receipt } from './index';

/** The options of `Target.batch`. */
export interface BatchOptions {
  /** ms from the first event that waits to the flush, 0 to 2^31 - 1. Default 100. */
  delay?: number | undefined;
  /** How many events are flushed at once: a positive integer or Infinity. Default 100. */
  events?: number | undefined;
  /** The name of the event that carries the array. Default `batch`. */
  event?: string | undefined;
}

/** One element of the array that a batch delivers: what a page finds in `JSON.parse(e.data)`. */
export type BatchItem<Events = DefaultEvents> =
  | { event?: undefined; data: MessageData<Events> }
  | { [Name in EventName<Events>]: { event: Name; data: Events[Name] } }[EventName<Events>];

/** Collects events for one target. Bounded: the array never passes `limits.eventBytes`. */
export interface Batch<Events = DefaultEvents> {
  /**
   * Collects one event. The data becomes JSON at once, whatever the hub's `serialize` is, so that
   * later changes of an object do not matter. All are flushed when it is the last of `events`, and
   * those that wait before it when the array would pass `limits.eventBytes`.
   * @returns how many wait now; 0: this call has flushed them
   * @throws TypeError `ERR_FAN_ARG`: bad options; `ERR_FAN_DATA`: JSON cannot say it
   * @throws RangeError `ERR_FAN_TOO_LARGE`: does not fit into an event even alone
   * @throws Error `ERR_FAN_FULL`: it would have flushed, and the hub has no room; `ERR_FAN_CLOSED`:
   *   the batch or the hub is closed. After an error nothing was collected; what waited still does
   */
  send<Name extends EventName<Events> | undefined = undefined>(
    data: DataOf<Events, Name>,
    opts?: { event?: Name | undefined },
  ): number;

  /**
   * Delivers now what waits.
   * @returns null if nothing waited, or the hub is closed
   * @throws Error `ERR_FAN_FULL`: all still wait, and the flush is tried again after `delay`
   */
  flush(): Receipt | null;

  /**
   * Flushes; `send` throws from now on. What a full hub does not take is tried again after `delay`.
   * The timer does not keep the process: close a batch before the process ends. (`hub.close` flushes.)
   */
  close(): void;
}
