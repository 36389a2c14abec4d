// What ends a client, what it costs, and what a hub counts.

/**
 * Where a client's bytes go. `opening`: the response has not been taken over yet. `fd`: to the socket, which is still Node's, too.
 * `detached`: to the socket, of which Node has let go. `relay`: through the response's own `write`.
 */
export type Transport = 'opening' | 'fd' | 'detached' | 'relay';

/**
 * `auto`: to the socket where it carries plain HTTP/1.1, else `relay`. `relay`: through the response's own `write` even there.
 *
 * `detached` is density mode, for tens of thousands of clients that are mostly idle: as `auto`, and once the handler is through,
 * Node's socket is destroyed and its memory with it (the request, the response, what middleware has hung on them), while the client
 * lives on. **Middleware sees that as a client that has left**: the request and the response emit `close` at once, so clean-up
 * belongs on the client's own `close`; request loggers log at once; `req.socket.remoteAddress` is undefined from then on. Node neither
 * counts nor waits for such a connection (`server.close`, `server.maxConnections`), and it closes with the stream.
 */
export type TransportOption = 'auto' | 'relay' | 'detached';

/**
 * Why a client's bytes go through the response's own `write`. `option`: it was asked for. `http2`,
 * `tls`: the kernel's socket does not carry plain HTTP/1.1. `encoding`, `length`: a middleware gave
 * the response a `Content-Encoding` or `Content-Length`. `fetch`: `hub.response`, where a `ReadableStream` takes
 * the place of `write`. `descriptor`: no socket to be had.
 */
export type RelayCause =
  | 'option'
  | 'http2'
  | 'tls'
  | 'encoding'
  | 'length'
  | 'fetch'
  | 'descriptor';

/**
 * Why a stream ended. `client`: it left. `server`: `close` or `disconnect`. `slow`: its queue was
 * past `limits.queueBytes`. `stalled`: `limits.stallTimeout`. `idle`, `lifetime`, `capacity`: the
 * limits of these names. `shutdown`: `hub.close`. `error`: anything else.
 */
export type CloseReason =
  | 'client'
  | 'server'
  | 'slow'
  | 'stalled'
  | 'idle'
  | 'lifetime'
  | 'capacity'
  | 'shutdown'
  | 'error';

/** `replaced`: by a later event with the same `key`. The others: see `HubOptions.overflow`. */
export type DropReason = CloseReason | 'replaced' | 'dropOldest' | 'dropNewest';

/**
 * Events that a client did not get although they were sent to it. Of a client that lives on it is told
 * at most once a second and reason, with sums.
 */
export interface Drop {
  /** Why its stream was cut; or, of a client that lives on, what has cost it events. */
  readonly reason: DropReason;
  /** How many since the last such report, comments and heartbeats among them. */
  readonly events: number;
  /** Their bytes on the wire. */
  readonly bytes: number;
}

/** What was sent to clients and not written to the end. */
export interface Dropped {
  readonly events: number;
  readonly bytes: number;
}

/**
 * Counters since the hub was made, and gauges of this moment. What the loop counts is as of its last
 * turn. A counter of the environment is shared by all hubs of the main thread, or of one worker.
 */
export interface Stats {
  /** Gauge: clients that have not closed, those that are ending included. */
  readonly clients: number;
  /** Gauge: rooms with members. */
  readonly rooms: number;
  /** Gauge: users with clients. */
  readonly users: number;
  /** Sends accepted, to one or to many. */
  readonly events: number;
  /** References queued: one for each client and frame; comments, `retry` and heartbeats too. */
  readonly deliveries: number;
  /** Of these, heartbeats. */
  readonly heartbeats: number;
  /** Writes tried: `send` or `sendmsg` calls, on `relay` blocks handed over. */
  readonly writes: number;
  /** Of these, how many took less than was offered. */
  readonly blockedWrites: number;
  /** Bytes written, with the transfer coding; without the headers. */
  readonly bytesWritten: number;
  /** Deliveries that were written to the end. */
  readonly framesWritten: number;
  /** Gauge: memory of all frames alive, shared ones once: what `limits.totalBytes` bounds. */
  readonly bufferedBytes: number;
  /** Gauge: of these, what the loop has not yet taken. */
  readonly inboxBytes: number;
  /** The most that the loop has held at once. */
  readonly peakBytes: number;
  /** Frames encoded from data. */
  readonly encodes: number;
  /** Calls into C with data to encode: one for each send that reaches somebody. */
  readonly crossings: number;
  /** Of the environment: synchronous stretches of JavaScript that posted something. */
  readonly flushes: number;
  /** Of the environment: calls from C into JavaScript, each with a batch of notices. */
  readonly callbacks: number;
  /** Of the environment: notices in these batches. */
  readonly notices: number;
  /** Of the environment: times the I/O thread was woken. */
  readonly wakeups: number;
  /** Clients that came back and were given what they had missed. */
  readonly replays: number;
  /** Events that they were given from the history; deliveries, too. */
  readonly eventsReplayed: number;
  /** Clients that were sent `fanline:reset`. */
  readonly resets: number;
  /** Gauge: events in the history. */
  readonly historyEvents: number;
  /** Gauge: its bytes, as `history.bytes` bounds them. */
  readonly historyBytes: number;
  /** Clients that went through `relay`, by cause. */
  readonly relay: Readonly<Partial<Record<RelayCause, number>>>;
  /** Clients whose connection Node has let go of: `transport: 'detached'` where nothing stood in its way. */
  readonly detached: number;
  /** What was dropped, by reason; only reasons that occurred. */
  readonly drops: Readonly<Partial<Record<DropReason, Dropped>>>;
  /** Streams ended, by reason; every reason is there. */
  readonly disconnects: Readonly<Record<CloseReason, number>>;
  /** Clients that never opened, by what their `closed` says; only reasons that occurred. */
  readonly refused: Readonly<Partial<Record<CloseReason, number>>>;
}

/** The answer of `hub.close`: streams that ended in order, and those cut off when time was up. */
export interface HubClosed {
  readonly ended: number;
  readonly cut: number;
}
