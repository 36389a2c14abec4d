// biome-ignore-all lint/suspicious/noExplicitAny: listeners take what they are given

/**
 * Node's EventEmitter with known events: other names are refused. Listeners run on the JavaScript
 * thread that made the hub.
 */
export interface Emitter<Listeners extends Record<keyof Listeners, any[]>> {
  on<Name extends keyof Listeners>(name: Name, listener: Listener<Listeners[Name]>): this;
  once<Name extends keyof Listeners>(name: Name, listener: Listener<Listeners[Name]>): this;
  off<Name extends keyof Listeners>(name: Name, listener: Listener<Listeners[Name]>): this;
  addListener<Name extends keyof Listeners>(name: Name, listener: Listener<Listeners[Name]>): this;
  removeListener<Name extends keyof Listeners>(
    name: Name,
    listener: Listener<Listeners[Name]>,
  ): this;
  prependListener<Name extends keyof Listeners>(
    name: Name,
    listener: Listener<Listeners[Name]>,
  ): this;
  prependOnceListener<Name extends keyof Listeners>(
    name: Name,
    listener: Listener<Listeners[Name]>,
  ): this;
  removeAllListeners(name?: keyof Listeners): this;
  emit<Name extends keyof Listeners>(name: Name, ...args: Listeners[Name]): boolean;
  listeners<Name extends keyof Listeners>(name: Name): Listener<Listeners[Name]>[];
  rawListeners<Name extends keyof Listeners>(name: Name): Listener<Listeners[Name]>[];
  listenerCount<Name extends keyof Listeners>(
    name: Name,
    listener?: Listener<Listeners[Name]>,
  ): number;
  eventNames(): (string | symbol)[];
  setMaxListeners(count: number): this;
  getMaxListeners(): number;
}

/** A listener of an event that brings `Args`. */
export type Listener<Args extends any[]> = (...args: Args) => void;
