// `fanline/client`: the standard's EventSource on top of fetch, with what the standard leaves out: headers and POST,
// backoff, a limit of attempts, a silence timeout, an end for good. It reads any server, in browsers and in Node.

import { itemsOf } from './batch.mjs';
import { DELAY_MAX, delayOf, Failure, problemOf } from './failure.mjs';
import { absolute, asHeader, optionsOf } from './options.mjs';
import { createReader } from './reader.mjs';

const CONNECTING = 0;
const OPEN = 1;
const CLOSED = 2;
const END = 'fanline:end'; // an event, and how the id of a last event begins

export class EventSource extends EventTarget {
  static CONNECTING = CONNECTING;
  static OPEN = OPEN;
  static CLOSED = CLOSED;
  CONNECTING = CONNECTING;
  OPEN = OPEN;
  CLOSED = CLOSED;

  #url;
  #options;
  #state = CONNECTING;
  #lastEventId;
  #origin = '';
  #base; // ms: `retry.min`, then what the server's `retry` says
  #opened; // when
  #failures = 0; // since a stream was well
  #handlers = {};
  #attempt; // AbortController of the one that runs
  #wake; // ends the wait for the next

  constructor(url, options = {}) {
    super();
    this.#options = optionsOf(options);
    this.#url = absolute(url);
    const { lastEventId, retry, signal } = this.#options;
    this.#lastEventId = lastEventId;
    this.#base = retry.min;
    signal?.addEventListener('abort', this.#onAbort);
    if (signal?.aborted) this.close();
    this.#run();
  }

  get url() {
    return this.#url;
  }

  get readyState() {
    return this.#state;
  }

  get withCredentials() {
    return this.#options.withCredentials;
  }

  /** Of the last event: what another EventSource may go on from. */
  get lastEventId() {
    return this.#lastEventId;
  }

  close() {
    this.#state = CLOSED;
    this.#attempt?.abort();
    this.#wake?.();
    this.#options.signal?.removeEventListener('abort', this.#onAbort);
  }

  #onAbort = () => this.close();

  async #run() {
    await null; // whoever made it adds listeners first
    while (this.#state !== CLOSED) {
      this.#opened = Infinity;
      const why = await this.#try();
      if (this.#state === CLOSED) return;
      if (why) await this.#fail(why);
      else this.#end();
    }
  }

  /** The server has ended it for good. */
  #end() {
    this.close();
    this.#tell(END, END);
  }

  /** Tells it, and waits if there is to be another attempt. */
  async #fail(failure) {
    const { min, max, attempts } = this.#options.retry;
    if (performance.now() - this.#opened > min) this.#failures = 0;
    failure.attempt = ++this.#failures;
    if (this.#failures > attempts) {
      failure.code = 'ERR_FAN_ATTEMPTS';
      failure.delay = null;
    }
    if (failure.delay === null) {
      this.close();
      this.dispatchEvent(failure);
      return;
    }
    this.#state = CONNECTING;
    failure.delay = delayOf(failure.delay, this.#base, max, this.#failures);
    this.dispatchEvent(failure);
    if (this.#state === CLOSED) return;
    await new Promise((resolve) => {
      const timer = setTimeout(resolve, failure.delay);
      this.#wake = () => {
        clearTimeout(timer);
        resolve();
      };
      // The network may have been at fault: its return ends the wait.
      if (!failure.status) globalThis.addEventListener?.('online', this.#wake);
    });
    globalThis.removeEventListener?.('online', this.#wake);
  }

  /** One request, to its end. @returns {Promise<Failure | undefined>} why it is over; undefined: for good */
  async #try() {
    const { silence } = this.#options;
    const attempt = new AbortController();
    const { signal } = attempt;
    this.#attempt = attempt;
    let timer;
    const alive = () => {
      clearTimeout(timer);
      if (!silence || silence > DELAY_MAX) return;
      timer = setTimeout(() => attempt.abort(new Failure('SILENT', 'Silence', 0)), silence);
    };
    const offline = () => attempt.abort(new Failure('NETWORK', 'Offline', 0));
    alive();
    globalThis.addEventListener?.('offline', offline);
    try {
      return await Promise.race([
        this.#stream(signal, alive),
        new Promise((_, reject) => {
          signal.addEventListener('abort', () => reject(signal.reason));
        }),
      ]);
    } catch (error) {
      if (error instanceof Failure) return error;
      return new Failure('NETWORK', `${error?.message}`, 0, { error });
    } finally {
      attempt.abort();
      clearTimeout(timer);
      globalThis.removeEventListener?.('offline', offline);
    }
  }

  async #request(signal) {
    const { withCredentials, method, fetch = globalThis.fetch } = this.#options;
    let { headers, body } = this.#options;
    if (typeof headers === 'function') headers = await headers();
    if (typeof body === 'function') body = await body();
    headers = new Headers(headers);
    if (!headers.has('accept')) headers.set('accept', 'text/event-stream');
    if (this.#lastEventId) headers.set('last-event-id', asHeader(this.#lastEventId));
    const credentials = withCredentials ? 'include' : 'same-origin';
    return fetch(this.#url, { method, headers, body, signal, credentials, cache: 'no-store' });
  }

  async #stream(signal, alive) {
    const response = await this.#request(signal);
    if (signal.aborted || response.status === 204) return undefined;
    const problem = problemOf(response);
    if (problem) return problem;
    alive();
    this.#origin = new URL(response.url || this.#url).origin;
    this.#opened = performance.now();
    let mayReturn = this.#options.method === 'GET';
    const feed = createReader(
      this.#lastEventId,
      signal,
      (id) => {
        this.#lastEventId = id;
      },
      (event) => this.#deliver(event),
      (ms) => {
        this.#base = ms;
        mayReturn = true;
      },
    );
    this.#state = OPEN;
    this.dispatchEvent(new Event('open'));
    const reader = response.body.getReader();
    const decoder = new TextDecoder();
    for (;;) {
      const { done, value } = await reader.read();
      if (signal.aborted) reader.cancel().catch(() => {}); // a fetch may not look at its signal
      if (done || signal.aborted) break;
      alive();
      feed(decoder.decode(value, { stream: true }));
    }
    // An answer to anything but GET is complete, unless the server has said when to ask again.
    return mayReturn ? new Failure('ENDED', 'Stream ended', 0) : undefined;
  }

  #deliver({ event, data }) {
    this.#failures = 0;
    const { batch, parse } = this.#options;
    const items = event === batch && itemsOf(data);
    if (items) {
      for (const { event, data } of items) {
        if (this.#state !== OPEN) return;
        this.#tell(event, parse || typeof data === 'string' ? data : JSON.stringify(data));
      }
    } else if (event !== END) this.#tell(event, data, !event?.startsWith('fanline:') && parse);
    const isEnd = event === END || this.#lastEventId.startsWith(`${END}:`);
    if (isEnd && this.#state === OPEN) this.#end();
  }

  #tell(event, data, parse) {
    let value = data;
    try {
      if (parse) value = parse(data);
    } catch (error) {
      this.dispatchEvent(new Failure('DATA', `Cannot parse "${event}"`, null, { error }));
      return;
    }
    const init = { data: value, origin: this.#origin, lastEventId: this.#lastEventId };
    this.dispatchEvent(new MessageEvent(event || 'message', init));
  }

  static {
    for (const type of ['open', 'message', 'error']) {
      Object.defineProperty(EventSource.prototype, `on${type}`, {
        get() {
          return this.#handlers[type] ?? null;
        },
        set(fn) {
          if (!(type in this.#handlers)) {
            this.addEventListener(type, (event) => this.#handlers[type]?.call(this, event));
          }
          this.#handlers[type] = typeof fn === 'function' ? fn : null;
        },
      });
    }
  }
}
