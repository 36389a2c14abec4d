// biome-ignore-all lint/suspicious/noExplicitAny: the type of data is the application's own

import type { ReadableStream } from 'node:stream/web';
import type { CloseReason, DataOf, EventName } from './index';

/**
 * Where the events of a pipe come from: an async iterable (a Node `Readable` is one), a web
 * `ReadableStream`, or an iterable. Text and bytes are no source: `send` them. The chunks of a byte
 * stream are passed on as they come, so set an encoding where a character may be cut in two.
 */
export type Source<Chunk> =
  | AsyncIterable<Chunk>
  | ReadableStream<Chunk>
  | (Iterable<Chunk | PromiseLike<Chunk>> & {
      readonly BYTES_PER_ELEMENT?: never;
    } & object);

/**
 * A source, or a function that answers one; an async generator function is the ordinary case. The
 * function is given the client's `signal`, and is never called when the client has closed already.
 */
export type PipeSource<Chunk> =
  | Source<Chunk>
  | ((signal: AbortSignal) => Source<Chunk> | PromiseLike<Source<Chunk>>);

/** An event with its name; without one it has the name `Name`, or none. */
type Named<Events, Name> =
  | { data: DataOf<Events, Name>; event?: undefined }
  | {
      [Own in EventName<Events>]: { data: Events[Own]; event: Own };
    }[EventName<Events>];

/** What `map` makes of a chunk. Its `event` goes before the pipe's. */
export type MappedEvent<Events = any, Name = undefined> = Named<Events, Name> & {
  /** As in the options of `send`. */
  id?: string | number | undefined;
  /** As in the options of `send`: ms. */
  retry?: number | undefined;
};

/** What comes last: an event, or its data alone. It does not have the pipe's `event`. */
export type LastEvent<Events = any> = string | Named<Events, undefined>;

/** What all pipes may be told. */
export interface PipeOptions<Events = any> {
  /** Sent when the source has ended, before the stream does: for instance `'[DONE]'`. */
  done?: LastEvent<Events> | undefined;
  /**
   * Called when the source fails (or `map`, or an event that cannot be sent): answers what the
   * client is told, and `pipe` resolves. Without it the client is told nothing of the error: the
   * stream ends, an EventSource comes back, and then `pipe` rejects. If it throws, the stream ends
   * and `pipe` rejects with what it threw, whose `cause` is the error.
   */
  error?: ((err: any) => LastEvent<Events> | PromiseLike<LastEvent<Events>>) | undefined;
  /**
   * Default `true`: behind the last event the stream ends, and an EventSource does not come back
   * (see `close`). `false`: it goes on, unless the source fails and there is no `error`.
   */
  end?: boolean | undefined;
}

/** How a pipe ended. */
export interface PipeResult {
  /** Events of the source that were accepted for the client; `done` and `error` do not count. */
  readonly sent: number;
  /** Why the client has closed, null when its stream goes on. `server`: the source ended it. */
  readonly closed: CloseReason | null;
  /** What the source failed with; only there if it did and `error` was given. */
  readonly error?: any;
}

export interface Pipes<Events> {
  /**
   * Sends what a source has, one event for each chunk, and ends the stream. The source is asked for
   * more only when the client has room, so a reader that stops stops the source. While a hub is full
   * (`ERR_FAN_FULL`) the pipe waits.
   *
   * When the client leaves, `signal` aborts and the source is told so at once: `return()` of an
   * iterator, `cancel()` or `destroy()` of a stream. That is no failure, whatever the source makes
   * of it: the pipe resolves. A source given directly to a closed client is told the same.
   *
   * Resolves or rejects once the stream has ended (with `end: false` already when the last event has
   * been accepted). Where `error` is not given, do not leave the promise alone: return or await it
   * in Express 5, `.catch(next)` elsewhere.
   * @throws TypeError `ERR_FAN_ARG`, synchronously, before anything is called
   */
  pipe<Name extends EventName<Events> | undefined = undefined>(
    source: PipeSource<DataOf<Events, Name>>,
    opts?: PipeOptions<Events> & {
      /** The name of every event. */
      event?: Name;
      map?: undefined;
    },
  ): Promise<PipeResult>;
  /**
   * The same for chunks of any type: `map` makes an event of each, `undefined` skips it.
   * @throws TypeError `ERR_FAN_ARG`, synchronously, before anything is called
   */
  pipe<Chunk, Name extends EventName<Events> | undefined = undefined>(
    source: PipeSource<Chunk>,
    opts: PipeOptions<Events> & {
      /** The name of events to which `map` gives none. */
      event?: Name;
      map: (
        chunk: Chunk,
      ) =>
        | MappedEvent<Events, Name>
        | undefined
        | PromiseLike<MappedEvent<Events, Name> | undefined>;
    },
  ): Promise<PipeResult>;
}
