// Servers of the Fetch API (Hono, h3, Next.js, Deno, Bun): hub.response().

import type { Client, ClientOptions, DefaultEvents, OptionArgument } from './index';

/** What is asked of a request: a `Request` of any realm or library has it. */
export interface RequestLike {
  readonly method: string;
  readonly headers: { get(name: string): string | null };
  /** Aborted: the client has left. */
  readonly signal?: AbortSignal | null | undefined;
  /** Read for nobody when nobody else has begun to, within `limits.stallTimeout`. */
  readonly body?: ReadableStream<any> | null | undefined;
  readonly bodyUsed?: boolean | undefined;
}

/** Called with each new client that is open. */
export type Opened<Events, Data, Req> = (client: Client<Events, Data>, request: Req) => void;

export interface Responses<Events = DefaultEvents, Data = any> {
  /**
   * `handler` for servers that want a `Response`. Its body is a `ReadableStream` that gives what it is
   * asked for, and takes from the hub no more than that; to cancel it, or to abort the request's signal,
   * is to leave. It ends where the stream ends in order, and fails with `ERR_FAN_CLOSED` where it was cut.
   * @param decide answers the options, or null for 401; may be async. What it throws, the promise rejects
   *   with.
   * @throws TypeError `ERR_FAN_ARG`: bad arguments, synchronously
   */
  response<Req extends RequestLike = Request>(
    request: Req,
    decide: (request: Req) => ClientOptions<Data> | null | PromiseLike<ClientOptions<Data> | null>,
    opened?: Opened<Events, Data, Req>,
  ): Promise<Response>;
  /**
   * `connect` for servers that want a `Response`, with the same options for everyone.
   * @throws TypeError `ERR_FAN_ARG`, RangeError `ERR_FAN_RANGE`: bad arguments
   */
  response<Req extends RequestLike = Request>(
    request: Req,
    ...args: [
      ...opts: OptionArgument<Data, ClientOptions<Data> | undefined>,
      opened?: Opened<Events, Data, Req>,
    ]
  ): Response;
}
