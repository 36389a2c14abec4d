/// <reference types="node" />

// The testing kit. It reads any server that speaks Server-Sent Events, and needs the package `eventsource-parser`.
// Durations are milliseconds.

import type { Agent, IncomingHttpHeaders, IncomingMessage, Server } from 'node:http';
import type { ClientHttp2Session } from 'node:http2';
import type { Server as NetServer } from 'node:net';
import type { Readable } from 'node:stream';

/** What answers requests as `http.createServer` calls it: also an Express app, or what `hub.handler()` answers. */
export type RequestListener = (req: any, res: any) => unknown;

/** What answers a Fetch API `Request` with a `Response`: a Hono or h3 app, or `{ fetch: GET }` of a route. */
export interface FetchHandler {
  fetch(request: any): any;
}

/** An app that is an object. */
export type AppObject =
  /** As in Koa. */
  | { callback(): RequestListener }
  /** As in connect. */
  | { handle(req: any, res: any): unknown }
  /** As in Fastify: `ready()` is awaited. */
  | { server: NetServer; ready?(): unknown };

/**
 * What is tested. A URL is asked as it is; so is a server of `http`, `https` or `http2` that listens. A server that does not
 * listen, and an app, listen on a free port of the loopback while streams of them are open. A fetch handler is called
 * directly. A function is always a `(req, res)` listener: give a handler of Requests as `{ fetch: handler }`.
 */
export type Target = string | URL | Server | NetServer | RequestListener | AppObject | FetchHandler;

export interface OpenOptions {
  /** Default `GET`; with a body `POST`. */
  method?: string | undefined;
  /** `undefined` takes a default away: `Accept: text/event-stream`. */
  headers?: Record<string, string | readonly string[] | undefined> | undefined;
  /** A string or bytes; a plain object or array goes as JSON, with its `Content-Type`. */
  body?: unknown;
  /** `Last-Event-ID`: what an EventSource sends when it comes back. */
  lastEventId?: string | undefined;
  /** How long `open`, `next`, `until` and `end` wait for anything to happen. Default 5 000. */
  timeout?: number | undefined;
  /** Ends the request, as `close()` does. */
  signal?: AbortSignal | undefined;
  /** A connection that several requests share. Default: each stream has one of its own, which ends with it. */
  agent?: Agent | ClientHttp2Session | false | undefined;
  /** For a URL: speak HTTP/2. Servers are known by what they are. */
  http2?: boolean | undefined;
}

/** Fields that were not sent are absent, so that an event compares with a literal. */
export interface TestEvent {
  data: string;
  event?: string;
  id?: string;
}

export class TestStream implements AsyncIterable<TestEvent> {
  private constructor();
  /** What was asked for; also the way to other paths of the same app: `fetch(new URL('/say', stream.url))`. */
  readonly url: string;
  readonly status: number;
  /** Names are lower case. */
  readonly headers: IncomingHttpHeaders;
  /** The body so far, decompressed. */
  readonly text: string;
  /** Events that have arrived and were not taken by `next()`. */
  readonly events: TestEvent[];
  /** Comments so far; heartbeats are comments. */
  readonly comments: string[];
  /** What `retry:` said last: no part of an event, because a stream may begin with it. */
  readonly retry: number | null;
  /** Of the last event that had an id: what an EventSource would come back with. */
  readonly lastEventId: string;
  /** null: open. `end`: in order. `close`: cut, or closed here. Else a code, as `ECONNRESET` or `rst 8`. */
  readonly ended: string | null;
  /** The request (node:http) or the stream (node:http2); null for a fetch handler. */
  readonly req: any;
  /** What the answer is read from; `IncomingMessage` where nothing is decompressed. */
  readonly body: Readable | IncomingMessage | null;

  /**
   * The next event, or null: the stream has ended. Rejects with `ERR_FAN_TIMEOUT`, which says what has arrived, when
   * nothing comes; and with what the app threw.
   */
  next(ms?: number): Promise<TestEvent | null>;
  /** The next `count` events. Rejects with `ERR_FAN_CLOSED` when the stream ends before. */
  take(count: number, ms?: number): Promise<TestEvent[]>;
  /** Their data only. */
  data(count: number, ms?: number): Promise<string[]>;
  /** Waits until `condition` holds; it is asked whenever something has arrived. */
  until(condition: (stream: this) => boolean, ms?: number): Promise<void>;
  /** Waits for the end. @returns `ended` */
  end(ms?: number): Promise<string>;
  /** Stops reading, as a slow client does: the sender's bytes fill the kernel's buffers, then wait. */
  pause(): void;
  resume(): void;
  /** Leaves. Resolves once what `open` has started for it has ended. */
  close(): Promise<void>;
  /** Events up to the end; leaving the loop closes the stream. */
  [Symbol.asyncIterator](): AsyncGenerator<TestEvent, void, undefined>;
  /** For `await using`: `close()`. */
  [Symbol.asyncDispose](): Promise<void>;
}

/**
 * Asks for an event stream. Resolves once the answer has begun, whatever its status. Certificates are not checked on
 * loopback.
 * @param path of a server, an app or a handler; may be left out: `/`, or the URL as it is
 */
export function open(target: Target, path?: string, options?: OpenOptions): Promise<TestStream>;
export function open(target: Target, options: OpenOptions): Promise<TestStream>;

/** Closes all streams that are open: `afterEach(closeAll)`. */
export function closeAll(): Promise<void>;
