// biome-ignore-all lint/suspicious/noExplicitAny: listeners of unknown names take what they are given

// fanline under the names of better-sse 0.16; docs/recipes/from-better-sse.md tells what differs. Durations are milliseconds.

import { EventEmitter } from 'node:events';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Http2ServerRequest, Http2ServerResponse } from 'node:http2';
import type { Readable } from 'node:stream';
import type { Client, Hub } from '../index.js';

/** Only on fanline: the hub that all sessions are clients of, for `stats()`, `drop` and `close()`. */
export const hub: Hub;

/** Thrown for a session that is not connected, and for wrong arguments of a constructor. */
export class SseError extends Error {
  constructor(message: string);
}

// ---------------------------------------------------------------------------------------------
// Emitters

type Listeners = Record<string | symbol, (...args: any[]) => void>;
type Names<Events> =
  | keyof { [K in keyof Events as string extends K ? never : K]: Events[K] }
  | (string & {});

declare class TypedEmitter<Events extends Listeners> extends EventEmitter {
  on<Name extends Names<Events>>(name: Name, listener: Events[Name]): this;
  once<Name extends Names<Events>>(name: Name, listener: Events[Name]): this;
  off<Name extends Names<Events>>(name: Name, listener: Events[Name]): this;
  addListener<Name extends Names<Events>>(name: Name, listener: Events[Name]): this;
  removeListener<Name extends Names<Events>>(name: Name, listener: Events[Name]): this;
  prependListener<Name extends Names<Events>>(name: Name, listener: Events[Name]): this;
  prependOnceListener<Name extends Names<Events>>(name: Name, listener: Events[Name]): this;
  emit<Name extends Names<Events>>(name: Name, ...args: Parameters<Events[Name]>): boolean;
}

// ---------------------------------------------------------------------------------------------
// Event buffers

export interface EventBufferOptions {
  /** Data into text. Default `JSON.stringify`. */
  serializer?: (data: unknown) => string;
  /** What every name, id, comment and serialised data goes through. Default: trims line breaks at the end. */
  sanitizer?: (text: string) => string;
}

export interface StreamOptions {
  /** Default `stream`. */
  eventName?: string;
}

export interface IterateOptions {
  /** Default `iteration`. */
  eventName?: string;
}

type PushStream = (stream: Readable | ReadableStream, options?: StreamOptions) => Promise<boolean>;
type PushIterable = (
  iterable: Iterable<unknown> | AsyncIterable<unknown>,
  options?: IterateOptions,
) => Promise<void>;

/** Events written field by field, to be read as text or sent by `Session.batch`. */
export class EventBuffer {
  constructor(options?: EventBufferOptions);
  /** @throws TypeError `ERR_FAN_ARG`: a line break within the name */
  event(type: string): this;
  data: (data: unknown) => this;
  /** Default: an empty id. @throws TypeError `ERR_FAN_ARG`: a line break within it */
  id: (id?: string) => this;
  /** @param time ms. @throws RangeError `ERR_FAN_RANGE`: no integer from 0 to 2^31 - 1 */
  retry: (time: number) => this;
  comment: (text?: string) => this;
  /** The event is complete. One that is not dispatched, or has no data, is not sent. */
  dispatch: () => this;
  /** A whole event. Default name `message`, default id a random UUID. */
  push: (data: unknown, eventName?: string, eventId?: string) => this;
  /** Each chunk as an event. */
  stream: PushStream;
  /** Each value as an event. */
  iterate: PushIterable;
  clear: () => this;
  read: () => string;
}

export function createEventBuffer(options?: EventBufferOptions): EventBuffer;

// ---------------------------------------------------------------------------------------------
// Sessions

/** Augment it to type `state` everywhere. */
export interface DefaultSessionState {
  [key: string]: unknown;
}

export interface SessionOptions<State = DefaultSessionState> extends EventBufferOptions {
  /** Begin with the last id that the client tells. Default true; else `lastId` begins empty. */
  trustClientEventId?: boolean;
  /** ms, the browser's delay before it comes back; null: it is told none. Default 2 000. */
  retry?: number | null;
  /** ms of silence after which a comment is written; null: never. Default 10 000. */
  keepAlive?: number | null;
  /** Default 200. */
  statusCode?: number;
  /** Beside or over the default ones; undefined removes one. */
  headers?: Record<string, string | string[] | undefined>;
  /** Yours. Default an empty object. */
  state?: State;
}

export interface SessionEvents extends Listeners {
  connected: () => void;
  disconnected: () => void;
  push: (data: unknown, eventName: string, eventId: string) => void;
}

/** One open event stream. */
export class Session<State = DefaultSessionState> extends TypedEmitter<SessionEvents> {
  constructor(req: IncomingMessage, res: ServerResponse, options?: SessionOptions<State>);
  constructor(req: Http2ServerRequest, res: Http2ServerResponse, options?: SessionOptions<State>);
  constructor(req: Request, res?: Response, options?: SessionOptions<State>);
  constructor(req: Request, options?: SessionOptions<State>);
  constructor(connection: Connection, options?: SessionOptions<State>);

  /** The id of the last event sent, at first the client's own. */
  readonly lastId: string;
  readonly isConnected: boolean;
  state: State;
  /** Only on fanline: the client of the hub, null until the session has connected. */
  readonly client: Client | null;

  /** The request; for Node's one that tells of it, whose signal aborts when the session is over. */
  getRequest: () => Request;
  /** The response; for Node's one that tells of it and has no body. */
  getResponse: () => Response;
  /**
   * Sends an event. Default name `message`, default id a random UUID.
   * @throws SseError the session is not connected
   * @throws as `Client.send`
   */
  push: (data: unknown, eventName?: string, eventId?: string) => this;
  /** Sends each chunk as its reader takes it. Resolves with true. */
  stream: PushStream;
  /** Sends each value as its reader takes it. */
  iterate: PushIterable;
  /** Sends what a buffer holds, or what a function writes into a new one. */
  batch: (batcher: EventBuffer | ((buffer: EventBuffer) => void | Promise<void>)) => Promise<void>;
}

/**
 * Resolves with a session that has connected; of a Fetch API request at once, before it has.
 * Rejects with what `Hub.connect` throws, `ERR_FAN_HEADERS_SENT` for instance.
 */
export function createSession<State = DefaultSessionState>(
  req: IncomingMessage,
  res: ServerResponse,
  options?: SessionOptions<State>,
): Promise<Session<State>>;
export function createSession<State = DefaultSessionState>(
  req: Http2ServerRequest,
  res: Http2ServerResponse,
  options?: SessionOptions<State>,
): Promise<Session<State>>;
export function createSession<State = DefaultSessionState>(
  req: Request,
  res?: Response,
  options?: SessionOptions<State>,
): Promise<Session<State>>;
export function createSession<State = DefaultSessionState>(
  req: Request,
  options?: SessionOptions<State>,
): Promise<Session<State>>;
export function createSession<State = DefaultSessionState>(
  req: Connection,
  options?: SessionOptions<State>,
): Promise<Session<State>>;

export type CreateResponseCallback<State> = (session: Session<State>) => void;

/** The response of a new session, which `callback` is given once it has connected. */
export function createResponse<State = DefaultSessionState>(
  request: Request,
  callback: CreateResponseCallback<State>,
): Response;
export function createResponse<State = DefaultSessionState>(
  request: Request,
  response: Response,
  callback: CreateResponseCallback<State>,
): Response;
export function createResponse<State = DefaultSessionState>(
  request: Request,
  options: SessionOptions<State>,
  callback: CreateResponseCallback<State>,
): Response;
export function createResponse<State = DefaultSessionState>(
  request: Connection,
  callback: CreateResponseCallback<State>,
): Response;
export function createResponse<State = DefaultSessionState>(
  request: Connection,
  options: SessionOptions<State>,
  callback: CreateResponseCallback<State>,
): Response;
export function createResponse<State = DefaultSessionState>(
  request: Request,
  response: Response,
  options: SessionOptions<State>,
  callback: CreateResponseCallback<State>,
): Response;

// ---------------------------------------------------------------------------------------------
// Channels

/** Augment it to type `state` everywhere. */
export interface DefaultChannelState {
  [key: string]: unknown;
}

export interface ChannelOptions<State = DefaultChannelState> {
  /** Yours. Default an empty object. */
  state?: State;
}

export interface BroadcastOptions<SessionState = DefaultSessionState> {
  /** Default: a random UUID, the same for every session. */
  eventId?: string;
  /** Only to those for which it answers true. It is asked for every session: without it a broadcast is one call. */
  filter?: (session: Session<SessionState>) => boolean;
}

export interface ChannelEvents<SessionState = DefaultSessionState> extends Listeners {
  'session-registered': (session: Session<SessionState>) => void;
  'session-deregistered': (session: Session<SessionState>) => void;
  'session-disconnected': (session: Session<SessionState>) => void;
  broadcast: (data: unknown, eventName: string, eventId: string) => void;
}

/** Sessions that are sent the same. */
export class Channel<
  State = DefaultChannelState,
  SessionState = DefaultSessionState,
> extends TypedEmitter<ChannelEvents<SessionState>> {
  constructor(options?: ChannelOptions<State>);
  state: State;
  get activeSessions(): ReadonlyArray<Session<SessionState>>;
  get sessionCount(): number;
  /** @throws SseError the session is not connected */
  register(session: Session<SessionState>): this;
  deregister(session: Session<SessionState>): this;
  /** Sends an event to all sessions. Default name `message`. @throws as `Target.send` */
  broadcast: (data: unknown, eventName?: string, options?: BroadcastOptions<SessionState>) => this;
}

export function createChannel<State = DefaultChannelState, SessionState = DefaultSessionState>(
  options?: ChannelOptions<State>,
): Channel<State, SessionState>;

// ---------------------------------------------------------------------------------------------
// Connections: for frameworks of your own

export type ConnectionConstants = Readonly<{
  REQUEST_METHOD: string;
  REQUEST_HOST: string;
  RESPONSE_CODE: number;
  RESPONSE_HEADERS: Readonly<Record<string, string>>;
}>;

/** What a session may be made of instead of a request: extend it. */
export abstract class Connection {
  static constants: ConnectionConstants;
  /** Sets each header of `from`; a list sets several, undefined removes one. */
  static applyHeaders(
    from: Record<string, string | string[] | undefined> | Headers,
    to: Headers,
  ): void;
  abstract url: URL;
  /** Its signal tells that the peer has left. */
  abstract request: Request;
  abstract response: Response;
  abstract sendHead(): void;
  /** Called a moment after the send, with whole events or parts of them. */
  abstract sendChunk(chunk: string): void;
  /** The session is over. */
  abstract cleanup(): void;
}

export interface BuiltInConnectionOptions extends Pick<SessionOptions, 'statusCode' | 'headers'> {}

export class FetchConnection extends Connection {
  url: URL;
  request: Request;
  response: Response;
  constructor(request: Request, response: Response | null, options?: BuiltInConnectionOptions);
  sendHead: () => void;
  sendChunk: (chunk: string) => void;
  cleanup: () => void;
}

export class NodeHttp1Connection extends Connection {
  url: URL;
  request: Request;
  response: Response;
  constructor(req: IncomingMessage, res: ServerResponse, options?: BuiltInConnectionOptions);
  sendHead: () => void;
  sendChunk: (chunk: string) => void;
  cleanup: () => void;
}

export class NodeHttp2CompatConnection extends Connection {
  url: URL;
  request: Request;
  response: Response;
  constructor(
    req: Http2ServerRequest,
    res: Http2ServerResponse,
    options?: BuiltInConnectionOptions,
  );
  sendHead: () => void;
  sendChunk: (chunk: string) => void;
  cleanup: () => void;
}
