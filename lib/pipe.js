'use strict';

// client.pipe(): the chunks of a source as events of one client. The source is asked for the next one when the client has
// room for it, so that a reader that stops stops the source; and it is let go of as soon as the client has left.

const { isNativeError } = require('node:util').types;
const { setTimeout: sleep } = require('node:timers/promises');
const { checkMapped, lastEvent, pipeOptions } = require('./pipe-options');
const { checkSource, discard, iteratorOf, letGo, sourceOf } = require('./source');

const PAUSE = 20; // ms until a hub that is full is asked again

const isThenable = (value) => typeof value?.then === 'function';

/** False: the hub is full at the moment, and nothing has happened. */
function attempt(act) {
  try {
    act();
    return true;
  } catch (err) {
    if (err?.code === 'ERR_FAN_FULL') return false;
    throw err;
  }
}

/** `thrown`, which came of handling `cause`. */
function causedBy(thrown, cause) {
  const canTell = isNativeError(thrown) && thrown !== cause && Object.isExtensible(thrown);
  if (canTell && !Object.hasOwn(thrown, 'cause')) {
    Object.defineProperty(thrown, 'cause', { value: cause, configurable: true, writable: true });
  }
  return thrown;
}

class Pipe {
  constructor(client, settings) {
    this._client = client;
    this._settings = settings;
    this._sent = 0;
    this._iterator = null; // while the source may have more
    this._failure = null; // `{ error, isHandled }`
    this._isOver = false; // the promise is settled
  }

  start(source) {
    const client = this._client;
    const promise = new Promise((resolve, reject) => {
      this._resolve = resolve;
      this._reject = reject;
    });
    if (client._closing !== null && typeof source !== 'function') discard(source);
    if (client.closed !== null) this._settle();
    else client.signal.addEventListener('abort', this);
    if (client._closing === null) this._run(source);
    return promise;
  }

  /** The client has left: as listener of its signal, before any that the source may add. */
  handleEvent() {
    this._stop();
    this._settle();
  }

  _settle() {
    if (this._isOver) return;
    this._isOver = true;
    const { closed } = this._client;
    if (closed === null) this._client.signal.removeEventListener('abort', this);
    const failure = this._failure;
    const answer = { sent: this._sent, closed };
    if (failure === null) this._resolve(answer);
    else if (failure.isHandled) this._resolve({ ...answer, error: failure.error });
    else this._reject(failure.error);
  }

  _stop() {
    if (this._iterator !== null) letGo(this._iterator);
    this._iterator = null;
  }

  /** Never rejects. What happens after the client has left concerns nobody any more. */
  async _run(source) {
    try {
      const isMade = typeof source === 'function';
      const given = isMade ? await sourceOf(source, this._client.signal) : source;
      await this._pass(iteratorOf(given));
      await this._conclude(this._settings.done);
    } catch (err) {
      this._stop();
      if (!this._isOver) await this._fail(err);
    }
  }

  /** Until the source ends, or the client begins to. */
  async _pass(iterator) {
    const client = this._client;
    const { map } = this._settings;
    this._iterator = iterator;
    for (;;) {
      while (client._closing === null && !client._hasRoom()) await client.drain();
      if (client._closing !== null) break;
      let step;
      try {
        step = this._ask(iterator);
        if (isThenable(step)) step = await step; // else: what a plain iterable has travels together
      } catch (err) {
        this._iterator = null; // it has ended by itself
        throw err;
      }
      if (step.done) {
        this._iterator = null;
        break;
      }
      let chunk = step.value;
      if (isThenable(chunk)) chunk = await chunk;
      if (map !== undefined && client._closing === null) {
        chunk = map(chunk);
        if (isThenable(chunk)) chunk = await chunk;
        if (chunk === undefined) continue;
      }
      while (client._closing === null && !attempt(() => this._send(chunk))) await sleep(PAUSE);
    }
    this._stop();
  }

  /** A generator that is running cannot be told to return: what ends the client meanwhile leaves it to us. */
  _ask(iterator) {
    this._iterator = null;
    const step = iterator.next();
    this._iterator = iterator;
    if (this._client._closing !== null) this._stop();
    return step;
  }

  /** A chunk, or what `map` made of one. */
  _send(chunk) {
    const { event, map } = this._settings;
    if (map === undefined) {
      this._client.send(chunk, event === undefined ? undefined : { event });
    } else {
      checkMapped(chunk);
      const { data, event: own = event, id, retry } = chunk;
      this._client.send(data, { event: own, id, retry });
    }
    this._sent++;
  }

  /** The source is through: the last event, if there is one, and the end of the stream, if it shall end. */
  async _conclude(last) {
    const client = this._client;
    const { end } = this._settings;
    const act = end
      ? () => client.close(this._farewell(last))
      : () => last && client.send(last.data, { event: last.event });
    while (client._closing === null && !attempt(act)) await sleep(PAUSE);
    if (!end && client._closing === null) this._settle();
  }

  /** A reader that is no EventSource would not come back anyway, and gets no event that nobody asked for. */
  _farewell(last) {
    if (last === undefined && this._client._method !== 'GET') return undefined;
    return { ...last, reconnect: false };
  }

  /** The promise is settled once the client has left, so that whoever handles the error finds the response complete. */
  async _fail(error) {
    const handle = this._settings.error;
    this._failure = { error, isHandled: handle !== undefined };
    if (handle === undefined) {
      this._client.close();
      return;
    }
    try {
      await this._conclude(lastEvent(await handle(error), 'error()'));
    } catch (thrown) {
      this._failure = { error: causedBy(thrown, error), isHandled: false };
      this._client.close();
    }
  }
}

/**
 * The chunks of a source as events of a client; see types/pipe.d.ts.
 * @throws {TypeError} `ERR_FAN_ARG`, before anything is called
 */
function pipe(client, source, opts) {
  checkSource(source);
  return new Pipe(client, pipeOptions(opts)).start(source);
}

module.exports = { pipe };
