/// <reference types="node" />

// biome-ignore-all lint/suspicious/noExplicitAny: the type of data is the application's own

// Everywhere: durations are milliseconds, sizes are bytes. Every callback and listener runs on the
// JavaScript thread that made the hub. Everything is synchronous except what returns a Promise, and
// commands take effect in the order of the calls. Wherever an option or field may be left out,
// `undefined` means the same; `null` is a wrong type unless the type says otherwise.

import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Http2ServerRequest, Http2ServerResponse } from 'node:http2';
import type { Adapter, AdapterState, Presence, PresenceOptions } from './adapter';
import type { Batch, BatchOptions } from './batch';
import type { Emitter } from './emitter';
import type { Responses } from './fetch';
import type { Pipes } from './pipe';
import type { CloseReason, Drop, HubClosed, Stats, Transport, TransportOption } from './stats';

export type {
  Adapter,
  AdapterHost,
  AdapterLink,
  AdapterState,
  Incoming,
  Outgoing,
  Page,
  Presence,
  PresenceOptions,
} from './adapter';
export type { Batch, BatchItem, BatchOptions } from './batch';
export type { Emitter, Listener } from './emitter';
export type { Opened, RequestLike, Responses } from './fetch';
export type {
  CloseReason,
  Drop,
  DropReason,
  Dropped,
  HubClosed,
  RelayCause,
  Stats,
  Transport,
  TransportOption,
} from './stats';
export type { LastEvent, MappedEvent, PipeOptions, PipeResult, PipeSource, Source } from './pipe';

// ---------------------------------------------------------------------------------------------
// Events and their data

/** Event name to data type. Interfaces and type aliases both do. */
export type EventMap = Record<string, any>;

/** What a hub without an event map speaks: every name, any data. */
export interface DefaultEvents {
  [event: string]: any;
}

/** The names of an event map. Names beginning `fanline:` are the library's own. */
export type EventName<Events> = Extract<keyof Events, string>;

/** The data of an event without a name, which a page gets as `message`. */
export type MessageData<Events> = 'message' extends keyof Events ? Events['message'] : unknown;

/** The data that goes with the event name `Name`, `undefined` being no name. */
export type DataOf<Events, Name> = Name extends keyof Events ? Events[Name] : MessageData<Events>;

/** One string or an array of them, each of 1 to 1024 characters. An empty array is nobody. */
export type Names = string | readonly string[];

// ---------------------------------------------------------------------------------------------
// Options

/** An idle sign of life, written after silence only. */
export interface HeartbeatOptions {
  /** ms of silence before one is written, 1 to 2^31 - 1. Default 15 000. */
  interval?: number | undefined;
  /**
   * Write an event of this name, with the interval as data, that a page can watch for. Default: a
   * comment, which no page sees.
   */
  event?: string | undefined;
}

/** How long a browser waits before it comes back: a random time in between, for each client. */
export interface RetryOptions {
  /** ms, 1 to 2^31 - 1. Default 2 000. */
  min?: number | undefined;
  /** ms, at least `min`. Default 5 000. */
  max?: number | undefined;
}

export interface LimitOptions {
  /** Clients of the hub: a positive integer or Infinity. Default Infinity. */
  clients?: number | undefined;
  /** Clients with the same `user`. Default Infinity. */
  clientsPerUser?: number | undefined;
  /** Rooms that one client may be in. Default 1 000. */
  roomsPerClient?: number | undefined;
  /**
   * UTF-8 bytes of the data of one event, as serialised, 1 to 1 GiB. Default 1 MiB. An event's name
   * and id may have 4 096 bytes each, whatever is given here.
   */
  eventBytes?: number | undefined;
  /** Bytes that may wait for one client, up to 1 TiB; one event always fits. Default 8 MiB. */
  queueBytes?: number | undefined;
  /**
   * Memory of all its events in bytes, shared ones once: half for queues (past it the longest end),
   * half for what was sent and not yet taken in (past it a send throws `ERR_FAN_FULL`). At least
   * 2 x (`eventBytes` + 16 KiB). Default 256 MiB.
   */
  totalBytes?: number | undefined;
  /** ms in which a client takes no byte although some wait; `false`: for ever. Default 30 000. */
  stallTimeout?: number | false | undefined;
  /** ms without an event (heartbeats do not count) after which a stream ends. Default `false`. */
  idleTimeout?: number | false | undefined;
  /** ms after which a stream ends, less up to 10 %: the browser returns and is authorised anew. */
  lifetime?: number | false | undefined;
}

/** Recent events, kept for clients that come back with a `Last-Event-ID`. The oldest go first. */
export interface HistoryOptions {
  /** Events per room, per user and of those sent to everyone, 1 to 2^24. Default 200. */
  events?: number | undefined;
  /** Bytes of the whole hub, at most a quarter of `limits.totalBytes`. Default 8 MiB, or that quarter. */
  bytes?: number | undefined;
  /** ms, 1 to 2^31 - 1. Default 300 000. */
  maxAge?: number | undefined;
}

/** See `HubOptions.overflow`. */
export type Overflow = 'disconnect' | 'dropOldest' | 'dropNewest';

export interface HubOptions {
  /** ms, `false` for none, or how. Default 15 000. */
  heartbeat?: number | false | HeartbeatOptions | undefined;
  /** ms, `false` for no `retry` line, or a range. Default `{ min: 2_000, max: 5_000 }`. */
  retry?: number | false | RetryOptions | undefined;
  /** What is kept for clients that come back; `false`: nothing, and ids are yours. */
  history?: false | HistoryOptions | undefined;
  /**
   * Tells a client that has no usable cursor the state of the world, with `client.send` or `client.pipe`.
   * Starts after `connect()` has returned; whatever else is sent to the client waits behind it. `why`:
   * `new`, it came without a cursor (without history: always); `reset`, what it missed is not kept any
   * more, and it was sent `fanline:reset`. If it throws, rejects or takes longer than
   * `limits.stallTimeout`, the stream ends (`error`, with the cause as the last argument of `close` and
   * `disconnect`).
   */
  snapshot?: ((client: Client<any, any>, why: 'new' | 'reset') => unknown) | undefined;
  /**
   * Turns data into text or UTF-8 bytes, once per send. Default: strings and `Uint8Array` as they
   * are, the rest `JSON.stringify`. What it throws becomes the `cause` of an `ERR_FAN_DATA`.
   */
  serialize?: ((data: any) => string | Uint8Array) | undefined;
  /**
   * What happens to a client whose queue is past `limits.queueBytes`. `disconnect`: its stream ends
   * (`slow`); EventSource returns, and the history fills the gap. `dropOldest`, `dropNewest`: it stays,
   * and loses the events that have waited longest, or those that came last; each is counted and told by
   * `drop`. Default `disconnect`.
   */
  overflow?: Overflow | undefined;
  /**
   * What a newcomer gets when a limit of clients is reached. `retry`: 200, a `retry` line and the
   * end, so that EventSource comes back. `reject`: 503 with Retry-After, and EventSource gives up
   * for good. Default `retry`.
   */
  atCapacity?: 'retry' | 'reject' | undefined;
  /**
   * ms to gather events before they are written, 0 to 60 000. Default 0: what one synchronous
   * stretch of code sends travels together.
   */
  batchDelay?: number | undefined;
  /** How clients are written to, unless they are connected with another one. Default `auto`. */
  transport?: TransportOption | undefined;
  /** `redisAdapter(…)`, `clusterAdapter()`: what is sent reaches the clients of all processes. Default: this process alone. */
  adapter?: Adapter | undefined;
  limits?: LimitOptions | undefined;
}

/** `null`, `undefined` and `false` remove a default header. */
export type HeaderValue = string | number | readonly string[] | false | null | undefined;

/** What is common to `hub.connect` and `sse`. */
export interface StreamOptions {
  /**
   * Headers beside or in place of the default ones (`Content-Type`, `Cache-Control`,
   * `X-Accel-Buffering`); `null`, `undefined` and `false` remove a default one.
   */
  headers?: Record<string, HeaderValue> | undefined;
  /** In place of the request's `Last-Event-ID` header. */
  lastEventId?: string | undefined;
  /** In place of the hub's. ms, `false`, or a range. */
  retry?: number | false | RetryOptions | undefined;
  /** In place of the hub's. ms, `false`, or how. */
  heartbeat?: number | false | HeartbeatOptions | undefined;
  /** In place of the hub's `limits.lifetime`. ms or `false`. */
  lifetime?: number | false | undefined;
  /** In place of the hub's. */
  transport?: TransportOption | undefined;
}

/** The `data` of a client: required when its type does not include `undefined`. */
export type DataOption<Data> = undefined extends Data
  ? { data?: Data | undefined }
  : { data: Data };

/** The options of `hub.connect` and `hub.handler`. */
export type ClientOptions<Data = any> = StreamOptions &
  DataOption<Data> & {
    /** Your name for whom the client belongs to, 1 to 1024 characters. */
    user?: string | undefined;
    /** The rooms that the client is in from the start. */
    rooms?: Names | undefined;
  };

/** The options of `sse`: no rooms, no user; no `retry` line unless asked for. */
export type SseOptions<Data = any> = StreamOptions & DataOption<Data>;

/** What a send may carry beside its data and its name. */
export interface SendFields {
  /**
   * The event's id: an integer from 0 to 2^53 - 1, or a string without CR, LF and NUL of at most
   * 4 096 UTF-8 bytes that does not begin with `fanline:`. Not on a hub with history, which gives ids
   * to the events it keeps.
   */
  id?: string | number | undefined;
  /** ms, an integer from 0 to 2^31 - 1: the browser's delay before it comes back, from now on. */
  retry?: number | undefined;
  /**
   * Only the latest event with this key matters: it takes the place of one that still waits for a
   * client, which counts as dropped (`replaced`). It has no id and is not kept. 1 to 4 096 UTF-8 bytes.
   */
  key?: string | undefined;
  /** `false`: this event is not kept, and has no id of the hub. */
  history?: false | undefined;
}

/** The options of a send. `event`: non-empty, without CR, LF and NUL, at most 4 096 UTF-8 bytes. */
export interface SendOptions<Name extends string | undefined = string | undefined>
  extends SendFields {
  event?: Name | undefined;
}

/** The options of a close without a named last event. */
export interface PlainCloseOptions<Events = DefaultEvents> {
  event?: undefined;
  /** Data of a last event. */
  data?: MessageData<Events> | undefined;
  /**
   * `false`: the last event makes the same EventSource stay away (204 to its next attempt, for
   * 24 h); its data is `fanline:end` unless you give some. Default `true`: it comes back.
   */
  reconnect?: boolean | undefined;
}

/**
 * The options of a close: a last event, and whether the client may come back. A name needs data,
 * unless `reconnect: false` brings its own.
 */
export type CloseOptions<Events = DefaultEvents> =
  | PlainCloseOptions<Events>
  | {
      [Name in EventName<Events>]:
        | { event: Name; data: Events[Name]; reconnect?: boolean | undefined }
        | { event: Name; data?: Events[Name] | undefined; reconnect: false };
    }[EventName<Events>];

// ---------------------------------------------------------------------------------------------
// Answers

/** The answer of a send to many. */
export interface Receipt {
  /**
   * Clients addressed: exact for everyone, one room, one user and one client, an upper bound for
   * unions and `except`.
   */
  readonly matched: number;
  /**
   * Resolves with the event's id once the history has it; `undefined` where it has none. With an adapter: once that has it;
   * rejects with `ERR_FAN_ADAPTER` when it does not get it. A promise is made only if this is read, and nobody need listen to it.
   */
  readonly accepted: Promise<string | undefined>;
}

/** What became of one event: `matched` is the sum of the other three. */
export interface Delivery {
  /** As `Receipt.accepted`. */
  readonly id: string | undefined;
  /** Clients of this process that it was for. */
  readonly matched: number;
  /** In the kernel's hands; on `relay` in Node's. */
  readonly written: number;
  /** Let go of by a policy: see `HubOptions.overflow` and `SendFields.key`. */
  readonly dropped: number;
  /** The client closed first. */
  readonly closed: number;
}

// ---------------------------------------------------------------------------------------------
// Objects

/** A client, target or list of them to leave out. Strings are room names. */
export type Exception =
  | string
  | Client<any, any>
  | Target<any, any>
  | readonly (string | Client<any, any> | Target<any, any>)[];

/** The events of a hub, each fired after the state it tells of has changed. */
export interface HubEvents<Events = DefaultEvents, Data = any> {
  /** Before `connect()` returns. */
  connect: [client: Client<Events, Data>];
  /** After the client's own `close`. `cause`: what `snapshot` threw, if that ended it. */
  disconnect: [client: Client<Events, Data>, reason: CloseReason, cause?: unknown];
  join: [client: Client<Events, Data>, room: string];
  /** Also for each room of a client that has ended. */
  leave: [client: Client<Events, Data>, room: string];
  /** A client did not get what was sent to it; also told of a client that has just closed. */
  drop: [client: Client<Events, Data>, drop: Drop];
  /** How the distribution engine is, where there is one. */
  adapter: [state: AdapterState];
}

/** The events of a client. */
export interface ClientEvents {
  /** Once. A listener added after the end is called in a microtask. */
  close: [reason: CloseReason, cause?: unknown];
}

/** One open event-stream response. Once closed, `send` answers false and the rest does nothing. */
export interface Client<Events = DefaultEvents, Data = any>
  extends Emitter<ClientEvents>,
    Pipes<Events> {
  /** 22 random characters, fit to be shown to the page as proof of who it is. */
  readonly id: string;
  readonly user: string | undefined;
  /** What was given as `data`; yours. */
  data: Data;
  /** Keeps its names after the end. */
  readonly rooms: ReadonlySet<string>;
  /** What the client came with: the option, or the request's `Last-Event-ID`, unchecked. */
  readonly lastEventId: string | undefined;
  /** Where its bytes go now; `detached` is `fd` until the handler is through. */
  readonly transport: Transport;
  /**
   * Bytes that wait for this client: what the loop last reported and what was sent since. The loop
   * reports after 16 KiB of private sends, so it may read that much too high.
   */
  readonly bufferedBytes: number;
  /** Aborts when the client has closed. */
  readonly signal: AbortSignal;
  /** Why the client has closed, null while it is open. */
  readonly closed: CloseReason | null;

  /**
   * Sends to this client alone. Synchronous.
   * @returns false when the client is closed or more than 64 KiB wait (the event is accepted then
   *   too: `await drain()`)
   * @throws TypeError `ERR_FAN_ARG`, RangeError `ERR_FAN_RANGE`: bad options
   * @throws TypeError `ERR_FAN_DATA`: the data cannot be serialised
   * @throws RangeError `ERR_FAN_TOO_LARGE`: data larger than `limits.eventBytes`, or a name or id
   *   larger than 4 096 bytes
   * @throws Error `ERR_FAN_FULL`: would not fit within `limits.totalBytes`
   */
  send<Name extends EventName<Events> | undefined = undefined>(
    data: DataOf<Events, Name>,
    opts?: SendOptions<Name>,
  ): boolean;

  /**
   * Writes a comment, which no page sees.
   * @throws TypeError `ERR_FAN_ARG`, RangeError `ERR_FAN_TOO_LARGE`, Error `ERR_FAN_FULL`
   */
  comment(text?: string): void;

  /**
   * Tells the browser how long to wait before it comes back.
   * @param ms an integer from 0 to 2^31 - 1
   * @throws TypeError `ERR_FAN_ARG`, RangeError `ERR_FAN_RANGE`, Error `ERR_FAN_FULL`
   */
  retry(ms: number): void;

  /** Resolves when there is room: true, go on; false, the client has closed. Never rejects. */
  drain(): Promise<boolean>;

  /** @throws TypeError `ERR_FAN_ARG`, RangeError `ERR_FAN_RANGE` past `limits.roomsPerClient` */
  join(rooms: Names): this;
  /** @throws TypeError `ERR_FAN_ARG` */
  leave(rooms: Names): this;

  /**
   * Ends the stream after what is queued. Synchronous; `close` fires when it is over.
   * @throws TypeError `ERR_FAN_ARG`, `ERR_FAN_DATA`, RangeError `ERR_FAN_TOO_LARGE`, Error
   *   `ERR_FAN_FULL`: the stream has not ended then
   */
  close(opts?: CloseOptions<Events>): void;
}

/** An immutable address: rooms, users and clients, minus exceptions. Nobody gets an event twice. */
export interface Target<Events = DefaultEvents, Data = any> {
  /** This target and the clients in these rooms. @throws TypeError `ERR_FAN_ARG` */
  to(rooms: Names): Target<Events, Data>;
  /** This target and the clients of these users. @throws TypeError `ERR_FAN_ARG` */
  user(users: Names): Target<Events, Data>;
  /** This target without those. @throws TypeError `ERR_FAN_ARG` */
  except(exceptions: Exception): Target<Events, Data>;

  /**
   * Sends to whoever is addressed at this moment. Synchronous, O(1) for the JavaScript thread.
   * @throws as `Client.send`; `ERR_FAN_CLOSED` after the hub's end
   */
  send<Name extends EventName<Events> | undefined = undefined>(
    data: DataOf<Events, Name>,
    opts?: SendOptions<Name>,
  ): Receipt;

  /**
   * Collects many small events and delivers them as one, whose data is a JSON array of
   * `{ event, data }` (`BatchItem`). Who is addressed is decided at each flush. For everyone:
   * `hub.except([]).batch()`.
   * @throws TypeError `ERR_FAN_ARG`, RangeError `ERR_FAN_RANGE`, `ERR_FAN_TOO_LARGE`: bad options
   */
  batch(opts?: BatchOptions): Batch<Events>;

  /**
   * `send`, and the answer what became of it: resolves when each client of this process that is
   * addressed has the event in its kernel, has dropped it or closed. Never rejects.
   * @throws as `send`, synchronously
   */
  deliver<Name extends EventName<Events> | undefined = undefined>(
    data: DataOf<Events, Name>,
    opts?: SendOptions<Name>,
  ): Promise<Delivery>;

  /**
   * Makes every addressed client join.
   * @throws TypeError `ERR_FAN_ARG`, RangeError `ERR_FAN_RANGE`: one of them would be past
   *   `limits.roomsPerClient`, and nobody has joined
   */
  join(rooms: Names): void;
  /** Makes every addressed client leave; `to(r).leave(r)` dissolves a room. @throws `ERR_FAN_ARG` */
  leave(rooms: Names): void;
  /** Ends every addressed stream. @throws as `Client.close` */
  disconnect(opts?: CloseOptions<Events>): void;

  /** Clients addressed now, exact; a union is counted when asked. */
  readonly size: number;
  /** The clients addressed now. */
  clients(): Client<Events, Data>[];
}

/** A request of `http`, `https`, or `http2`'s compatibility API; Express' are one. */
export type HttpRequest = IncomingMessage | Http2ServerRequest;
/** The response that goes with it. */
export type HttpResponse = ServerResponse | Http2ServerResponse;

/** What `handler` returns: Express middleware, and a listener for `http.createServer`. */
export type Handler<Req extends HttpRequest = HttpRequest> = (
  req: Req,
  res: HttpResponse,
  next?: (err?: any) => void,
) => void;

/** `opts`, and whether it may be left out, by the type of the client's data. */
export type OptionArgument<Data, Options> = undefined extends Data
  ? [opts?: Options]
  : [opts: Options];

/** Owns clients and rooms. An EventEmitter: `events.once(hub, 'connect')` and its like work. */
export interface Hub<Events = DefaultEvents, Data = any>
  extends Emitter<HubEvents<Events, Data>>,
    Responses<Events, Data> {
  /** Clients that have not closed, those that are ending included. */
  readonly size: number;
  readonly clients: ReadonlyMap<string, Client<Events, Data>>;
  /** Rooms that have members, with how many. */
  readonly rooms: ReadonlyMap<string, number>;

  /**
   * Turns a response into an event stream. Authenticates nobody: what it is given is decided. Never
   * fails because of the peer: a response that is gone or over a limit of clients yields a client
   * whose `closed` is set.
   * @throws TypeError `ERR_FAN_ARG`, RangeError `ERR_FAN_RANGE`: bad arguments
   * @throws Error `ERR_FAN_HEADERS_SENT`: the response has already begun
   */
  connect(
    req: HttpRequest,
    res: HttpResponse,
    ...args: OptionArgument<Data, ClientOptions<Data>>
  ): Client<Events, Data>;

  /**
   * `connect` as middleware.
   * @param decide answers the options, or null for 401; may be async, and a client that leaves
   *   while it runs leaves nothing behind. What it throws goes to `next`, or answers
   *   `err.status ?? 500` where there is none.
   * @param opened called with each new client that is open
   * @throws TypeError `ERR_FAN_ARG`
   */
  handler<Req extends HttpRequest = IncomingMessage>(
    decide: (req: Req) => ClientOptions<Data> | null,
    opened?: (client: Client<Events, Data>, req: Req) => void,
  ): Handler<Req>;
  handler<Req extends HttpRequest = IncomingMessage>(
    decide: (req: Req) => ClientOptions<Data> | null | PromiseLike<ClientOptions<Data> | null>,
    opened?: (client: Client<Events, Data>, req: Req) => void,
  ): Handler<Req>;
  /**
   * `connect` as middleware, with the same options for everyone.
   * @throws TypeError `ERR_FAN_ARG`, RangeError `ERR_FAN_RANGE`: bad options, at once
   */
  handler<Req extends HttpRequest = IncomingMessage>(
    opts: ClientOptions<Data>,
    opened?: (client: Client<Events, Data>, req: Req) => void,
  ): Handler<Req>;

  /** The clients in these rooms. @throws TypeError `ERR_FAN_ARG` */
  to(rooms: Names): Target<Events, Data>;
  /** The clients of these users. @throws TypeError `ERR_FAN_ARG` */
  user(users: Names): Target<Events, Data>;
  /** The clients with these ids, or nobody. @throws TypeError `ERR_FAN_ARG` */
  client(ids: Names): Target<Events, Data>;
  /** Everyone but those. @throws TypeError `ERR_FAN_ARG` */
  except(exceptions: Exception): Target<Events, Data>;

  /** Sends to everyone. @throws as `Target.send` */
  broadcast<Name extends EventName<Events> | undefined = undefined>(
    data: DataOf<Events, Name>,
    opts?: SendOptions<Name>,
  ): Receipt;

  /**
   * Who is there, in all processes: each is asked. Costs each of them a walk over its clients of that room.
   * @returns rejects with TypeError `ERR_FAN_ARG`, RangeError `ERR_FAN_RANGE`, Error `ERR_FAN_CLOSED`, `ERR_FAN_ADAPTER`
   */
  presence(opts?: PresenceOptions): Promise<Presence>;

  /** Counters and gauges; costs one call into C. Also after the end. */
  stats(): Stats;

  /**
   * Ends all streams in order, spread over `grace`, then their TCP connections. Newcomers are sent
   * away with a `retry` line; sends work until the last client is gone.
   * @param opts `grace`: ms, 0 to 2^31 - 1, default 10 000; what has not ended then is cut, though
   *   readers that are well get 100 ms in any case
   * @throws TypeError `ERR_FAN_ARG`, RangeError `ERR_FAN_RANGE`, both synchronously
   */
  close(opts?: { grace?: number | undefined }): Promise<HubClosed>;
}

// ---------------------------------------------------------------------------------------------
// Functions

/**
 * Makes a hub.
 * @typeParam Events event name to data type: names not in it are refused, `message` is the type of
 *   events without a name
 * @typeParam Data type of `client.data`
 * @throws TypeError or RangeError `ERR_FAN_OPTION`: names the option; for an unknown one also the
 *   nearest that exists
 */
export function createHub<Events extends EventMap = DefaultEvents, Data = any>(
  options?: HubOptions,
): Hub<Events, Data>;

/**
 * One stream for one answer (tokens, progress, a log): no rooms, ids are yours.
 * @throws as `Hub.connect`
 */
export function sse<Events extends EventMap = DefaultEvents, Data = any>(
  req: HttpRequest,
  res: HttpResponse,
  ...args: OptionArgument<Data, SseOptions<Data>>
): Client<Events, Data>;

/** The `code` of an error of this library. */
export type ErrorCode =
  | 'ERR_FAN_OPTION'
  | 'ERR_FAN_ARG'
  | 'ERR_FAN_RANGE'
  | 'ERR_FAN_DATA'
  | 'ERR_FAN_TOO_LARGE'
  | 'ERR_FAN_HEADERS_SENT'
  | 'ERR_FAN_FULL'
  | 'ERR_FAN_CLOSED';
