import { EventSource, type EventSourceOptions, type FailureEvent } from 'fanline/client';
import { useEffect, useReducer, useRef, useState } from 'react';

/** One of the events of a map of names to data. `fanline:reset`: what was missed is not kept; the server tells all anew. */
export type StreamEvent<Events> =
  | { type: 'fanline:reset'; data: string; id: string }
  | {
      [Name in keyof Events & string]: { type: Name; data: Events[Name]; id: string };
    }[keyof Events & string];

export interface StreamOptions<Events, Value> extends Omit<EventSourceOptions, 'signal'> {
  /** The names of the events to listen for. */
  events: readonly (keyof Events & string)[];
  /** Makes the next value of the last and an event. It is called for every one of them, and must be pure. */
  reduce: (value: Value, event: StreamEvent<Events>) => Value;
  initial: Value;
}

interface Shown<Value> {
  url: string | null;
  /** `closed`: for good. `error` says why; without one the server has ended it, or there is no URL. */
  state: 'connecting' | 'open' | 'closed';
  value: Value;
  /** What failed last, until the stream is open again. */
  error: FailureEvent | null;
}

export interface Stream<Value> extends Shown<Value> {
  /** Asks anew with the options of now, another token say, and goes on where the stream was. */
  reconnect: () => void;
}

const STATES = ['connecting', 'open', 'closed'] as const;

/**
 * An event stream while the component is mounted. Another `url` is another stream and begins with `initial`; null is none.
 * Options may be written in place: of another render, `events`, `reduce` and `headers` count at once, the rest with the next
 * stream. Data is JSON, unless `parse` says otherwise.
 */
export function useEventSource<Events extends object, Value>(
  url: string | null,
  options: StreamOptions<Events, Value>,
): Stream<Value> {
  const latest = useRef(options);
  useEffect(() => {
    latest.current = options;
  });

  const begun = (): Shown<Value> => {
    return { url, state: url ? 'connecting' : 'closed', value: options.initial, error: null };
  };
  const [stream, setStream] = useState(begun);
  const [attempt, reconnect] = useReducer((count: number) => count + 1, 0);
  const cursor = useRef({ url, id: '' });
  const names = options.events.join('\n');

  // biome-ignore lint/correctness/useExhaustiveDependencies: options are read when they are needed, and start nothing
  useEffect(() => {
    // The same URL again is the same stream: StrictMode, an <Activity> that was hidden, reconnect().
    const isSame = cursor.current.url === url;
    if (!isSame) cursor.current = { url, id: '' };
    setStream((now) => ({ ...begun(), ...(isSame && now.url === url && { value: now.value }) }));
    if (url === null) return;

    const { events, reduce, initial, ...rest } = latest.current;
    const source = new EventSource<Record<string, any>>(url, {
      parse: JSON.parse,
      ...rest,
      lastEventId: cursor.current.id || rest.lastEventId,
      headers: () => {
        const { headers } = latest.current;
        return typeof headers === 'function' ? headers() : headers;
      },
    });
    const change = (what: Partial<Shown<Value>>) => {
      const state = STATES[source.readyState];
      setStream((now) => ({ ...now, state, ...what }));
    };
    source.onopen = () => change({ error: null });
    source.onerror = (error) => change({ error });
    source.addEventListener('fanline:end', () => change({}));
    for (const type of [...names.split('\n'), 'fanline:reset']) {
      source.addEventListener(type, ({ data, lastEventId: id }) => {
        const event = { type, data, id } as StreamEvent<Events>;
        setStream((now) => ({ ...now, value: latest.current.reduce(now.value, event) }));
      });
    }
    return () => {
      cursor.current.id = source.lastEventId;
      source.close();
    };
  }, [url, names, attempt]);

  // In the first render with another URL the value of the one before is not shown.
  return { ...(stream.url === url ? stream : begun()), reconnect };
}
