// What stands between a hub and a distribution engine. docs/adapters.md explains it; the suite that any adapter must pass is
// test/adapters/conformance.js.

/** A send on its way to the engine: two things it keeps as they are. */
export interface Outgoing {
  /** To whom, and how: text of the library's own. */
  readonly head: string;
  /** What is sent, as it was encoded. Bytes of any value. */
  readonly data: Uint8Array;
  /** The same as text, if it was text: for those who can write it straight to where it goes. */
  readonly text?: string | undefined;
}

/** The same as it comes back, in its place among all. */
export interface Incoming extends Omit<Outgoing, 'text'> {
  /** `<ms>-<n>`, `n` below 2 048: larger than that of every event before it. */
  readonly id: string;
  /** Which of its process' sends it is, from 1. */
  readonly number: number;
}

/** A stretch of what the engine keeps. */
export interface Page {
  /** Has nothing been let go of between the place asked for and `entries`? In doubt: false. */
  readonly isWhole: boolean;
  /** In order; none: there is nothing behind that place. */
  readonly entries: readonly Incoming[];
}

/** What an adapter tells a hub. */
export interface AdapterHost {
  /** The hub's name among all: 22 random characters. */
  readonly process: string;
  /**
   * The first thing to be told: events behind this id will come; all that were accepted since the hub was opened are. Never an id
   * of zero: a client that comes before the first event has a cursor, too.
   */
  started(id: string): void;
  /**
   * What comes next, in order, each once; the hub's own sends come this way, too.
   * @returns resolves when the next may come, with whether anybody here had a use for one of them: while nobody has, an adapter may
   *   ask `passed` instead
   */
  received(entries: readonly Incoming[]): Promise<boolean>;
  /**
   * Asks whether what has come behind the last event may be left out: all that has one of these heads (for an `ask`, a command, or
   * anything else that matters to a process itself it answers false).
   * @param passed each head once, with the number (`ms * 2048 + n`) of its last event
   * @param id of the last one
   * @returns true: it is taken for received. Who comes back for it later is given it by `read`
   */
  passed(passed: readonly { head: string; seq: number }[], id: string): boolean;
  /**
   * Events that never came are gone; the next one comes behind this id, which is not below the last that came.
   * @returns the next may come: at once, or when that resolves
   */
  lost(id: string): Promise<void> | void;
  /** Another process has answered `text` (see `AdapterLink.answer`). */
  answered(text: string): void;
  /** Does the engine answer? May be told at any time, and repeated. */
  state(state: 'ready' | 'down', error?: Error): void;
}

/** One hub's connection to the engine. */
export interface AdapterLink {
  /**
   * Puts the sends at the end, all of them or none.
   * @param first the number of the first one. A batch whose answer was lost is sent again with the same number, and must not be
   *   put there twice. There is one batch at a time, and numbers rise.
   * @returns their ids. Rejects when it is not known to be there: the batch will be sent again, unless the error has
   *   `isFinal: true`
   */
  publish(first: number, sends: readonly Outgoing[]): Promise<string[]>;
  /** What was published last is for somebody here, too: an adapter that does not read at present should. */
  hurry?(): void;
  /** At most `count` events behind that id; fewer if they are large, but not none. */
  read(after: string, count: number): Promise<Page>;
  /** The processes that are alive, this one included. One that has died is missing within 15 s. */
  processes(): Promise<string[]>;
  /** Tells one process something. Whether it is still there, nobody asks. */
  answer(process: string, text: string): Promise<void>;
  /**
   * This process has `clients` clients of that user, whatever it has told before.
   * @returns whether all living processes together have at most `limit`
   */
  admit(user: string, clients: number, limit: number): Promise<boolean>;
  /**
   * Nothing more is asked or told, and nothing that is still being received is waited for. Takes half a second at most, whatever
   * the engine does. What belongs to the application stays open.
   */
  close(): Promise<void>;
}

/** A value for the `adapter` option of `createHub`. One may serve several hubs. */
export interface Adapter {
  /** Bytes of sends that may wait to be accepted; beyond them `accepted` rejects with `ERR_FAN_ADAPTER`. */
  readonly maxPendingBytes: number;
  open(host: AdapterHost): AdapterLink;
}

/** What `hub.on('adapter')` is told: whenever it changes, and of every error that waiting does not mend. */
export interface AdapterState {
  readonly state: 'ready' | 'down';
  /** `ERR_FAN_ADAPTER`; its `cause` is the engine's own. */
  readonly error?: Error;
}

/** What to ask `hub.presence`. */
export interface PresenceOptions {
  /** Those in this room; without `room` and `user`: everyone. */
  room?: string | undefined;
  user?: string | undefined;
  /** How many to list, 0 to 10 000. Default 100; with 0 they are only counted. */
  limit?: number | undefined;
  /** List those behind this id: `next` of the page before. */
  after?: string | undefined;
}

/** Who is there, over all processes. */
export interface Presence {
  readonly size: number;
  /** In the order of their ids. */
  readonly clients: { readonly id: string; readonly user?: string }[];
  /** For `after`; null: there are no more. */
  readonly next: string | null;
}
