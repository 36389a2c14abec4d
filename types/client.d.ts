// biome-ignore-all lint/suspicious/noExplicitAny: the type of data is the application's own

// `fanline/client`: the standard's EventSource over fetch, for browsers and Node. Durations are milliseconds.

/** What a stream without an event map brings: every name, any data. */
export interface AnyEvents {
  [event: string]: any;
}

/** One attempt failed or a stream ended. */
export interface FailureEvent extends Event {
  readonly type: 'error';
  /**
   * - `ERR_FAN_NETWORK`: no answer, or it broke off; `headers` or `body` failed (`error`)
   * - `ERR_FAN_ENDED`: the server has ended the stream in order
   * - `ERR_FAN_SILENT`: nothing came for `silence` ms
   * - `ERR_FAN_STATUS`: neither 200 nor 204 (`status`)
   * - `ERR_FAN_TYPE`: the answer is no event stream
   * - `ERR_FAN_TOO_LARGE`: an event of more than 2^26 characters
   * - `ERR_FAN_ATTEMPTS`: as often as `retry.attempts` allows; `message`, `status` and `error` are the last failure's
   * - `ERR_FAN_DATA`: `parse` threw (`error`); the stream goes on without this event
   */
  readonly code:
    | 'ERR_FAN_NETWORK'
    | 'ERR_FAN_ENDED'
    | 'ERR_FAN_SILENT'
    | 'ERR_FAN_STATUS'
    | 'ERR_FAN_TYPE'
    | 'ERR_FAN_TOO_LARGE'
    | 'ERR_FAN_ATTEMPTS'
    | 'ERR_FAN_DATA';
  readonly message: string;
  /** The answer's, if that was what failed; else 0. */
  readonly status: number;
  /** What was thrown, if something was. */
  readonly error?: unknown;
  /** Failures in a row, this one included; 0: the stream goes on. */
  readonly attempt: number;
  /** ms until the next attempt; null: there is none, `readyState` is CLOSED (or the stream goes on: `ERR_FAN_DATA`). */
  readonly delay: number | null;
}

/** An event that the server has sent: what the standard calls MessageEvent. */
export interface ServerEvent<Data = any> extends Event {
  readonly data: Data;
  /** Of this event, or of the last before it that had one. */
  readonly lastEventId: string;
  /** The server's. */
  readonly origin: string;
}

/** What is not a name of the application's. */
interface OwnEvents {
  open: Event;
  error: FailureEvent;
  /** The server can't replay what was missed; the data says why. */
  'fanline:reset': ServerEvent<string>;
  /** The server has ended the stream for good. */
  'fanline:end': ServerEvent<string>;
}

/** Name to event of an event map. A name that is not in the map is refused; `message` need not be in it. */
export type EventsOf<Events> = OwnEvents & {
  [Name in Exclude<keyof Events | 'message', keyof OwnEvents>]: ServerEvent<
    Name extends keyof Events ? Events[Name] : any
  >;
};

/** A function may name a wider or a narrower event, such as the browser's MessageEvent, as long as its data fits. */
export type EventListenerOf<E> =
  | { bivarianceHack(event: E): unknown }['bivarianceHack']
  | { handleEvent(event: E): unknown };

type Init = NonNullable<Parameters<typeof fetch>[1]>;
type Body = string | Blob | ArrayBuffer | ArrayBufferView | FormData | URLSearchParams;
type Eventually<Value> = Value | (() => Value | PromiseLike<Value>);

export interface RetryOptions {
  /** ms of the first wait at least, until the server names its own. Default 1 000. */
  min?: number | undefined;
  /** ms of a wait at most, unless the server asks for more. Default 30 000. */
  max?: number | undefined;
  /** Further attempts in a row before it gives up. Default Infinity. */
  attempts?: number | undefined;
}

export interface EventSourceOptions {
  /** Cookies go to other origins, too. Default false. */
  withCredentials?: boolean | undefined;
  /** Default GET, or POST if there is a body. */
  method?: string | undefined;
  /** A function is called for each attempt, so that a token may be renewed. */
  headers?: Eventually<Init['headers']> | undefined;
  /** Sent with each attempt. A stream can be sent only once and is refused. */
  body?: Eventually<Body | undefined> | undefined;
  /** Aborted: as `close()`. */
  signal?: AbortSignal | undefined;
  /** Where to go on from. */
  lastEventId?: string | undefined;
  /** false: no attempt after the first. */
  retry?: RetryOptions | false | undefined;
  /** ms without a byte, heartbeats included, after which it connects anew. Default false. */
  silence?: number | false | undefined;
  /** The name of events that `target.batch()` makes: each of their items becomes an event. Default 'batch'. */
  batch?: string | false | undefined;
  /**
   * An event's text into its data, `JSON.parse` for example. Items of a batch are values already. Not called for
   * `fanline:` events. Default: data is text.
   */
  parse?: ((text: string) => any) | undefined;
  /** Instead of the global one; must obey `init.signal`. */
  fetch?: ((url: string, init: Init) => Promise<Response>) | undefined;
}

/** Data that is not text needs `parse`. */
type Given<Events> = [Events[keyof Events]] extends [string]
  ? [options?: EventSourceOptions]
  : [options: EventSourceOptions & { parse: NonNullable<EventSourceOptions['parse']> }];

/**
 * The standard's EventSource, with options. `Events` maps event names to their data.
 * @example new EventSource<{ news: { id: number } }>('/events', { parse: JSON.parse })
 */
export class EventSource<Events extends object = AnyEvents> extends EventTarget {
  static readonly CONNECTING: 0;
  static readonly OPEN: 1;
  static readonly CLOSED: 2;

  /**
   * @throws {DOMException} `SyntaxError`: `url` is none
   * @throws {TypeError} `ERR_FAN_OPTION`: an option is unknown or wrong
   */
  constructor(url: string | URL, ...options: Given<Events>);

  readonly CONNECTING: 0;
  readonly OPEN: 1;
  readonly CLOSED: 2;
  readonly url: string;
  readonly withCredentials: boolean;
  /** 0 CONNECTING: waiting, or asking; 1 OPEN; 2 CLOSED, for good. */
  readonly readyState: 0 | 1 | 2;
  /** Of the last event that had one; '' if none. */
  readonly lastEventId: string;

  onopen: ((event: Event) => unknown) | null;
  onmessage: ((event: EventsOf<Events>['message']) => unknown) | null;
  onerror: ((event: FailureEvent) => unknown) | null;

  /** For good; no event tells it. */
  close(): void;

  addEventListener<Name extends keyof EventsOf<Events> & string>(
    name: Name,
    listener: EventListenerOf<EventsOf<Events>[Name]> | null,
    options?:
      | boolean
      | { capture?: boolean; once?: boolean; passive?: boolean; signal?: AbortSignal },
  ): void;
  removeEventListener<Name extends keyof EventsOf<Events> & string>(
    name: Name,
    listener: EventListenerOf<EventsOf<Events>[Name]> | null,
    options?: boolean | { capture?: boolean },
  ): void;
}
