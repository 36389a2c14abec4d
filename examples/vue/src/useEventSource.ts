import { EventSource, type EventSourceOptions, type FailureEvent } from 'fanline/client';
import { type MaybeRefOrGetter, onMounted, type ShallowRef, shallowRef, toValue, watch } from 'vue';

/** One of the events of a map of names to data. `fanline:reset`: what was missed is not kept; the server tells all anew. */
export type StreamEvent<Events> =
  | { type: 'fanline:reset'; data: string; id: string }
  | {
      [Name in keyof Events & string]: { type: Name; data: Events[Name]; id: string };
    }[keyof Events & string];

export interface StreamOptions<Events, Value> extends Omit<EventSourceOptions, 'signal'> {
  /** The names of the events to listen for. */
  events: readonly (keyof Events & string)[];
  /** Makes the next value of the last and an event. It is called for every one of them. */
  reduce: (value: Value, event: StreamEvent<Events>) => Value;
  initial: Value;
}

export interface Stream<Value> {
  /** `closed`: for good. `error` says why; without one the server has ended it, or there is no URL. */
  state: Readonly<ShallowRef<'connecting' | 'open' | 'closed'>>;
  value: Readonly<ShallowRef<Value>>;
  /** What failed last, until the stream is open again. */
  error: Readonly<ShallowRef<FailureEvent | null>>;
  /** Asks anew, with another token say, and goes on where the stream was. */
  reconnect: () => void;
}

const STATES = ['connecting', 'open', 'closed'] as const;

/**
 * An event stream while the component is mounted; none on a server. `url` may be a ref or a getter: another URL is another
 * stream and begins with `initial`, null is none. For options that change give functions, as `headers: () => …`. Data is JSON,
 * unless `parse` says otherwise.
 */
export function useEventSource<Events extends object, Value>(
  url: MaybeRefOrGetter<string | null>,
  { events, reduce, initial, ...options }: StreamOptions<Events, Value>,
): Stream<Value> {
  const state = shallowRef<'connecting' | 'open' | 'closed'>(
    toValue(url) ? 'connecting' : 'closed',
  );
  const value = shallowRef(initial);
  const error = shallowRef<FailureEvent | null>(null);
  const attempt = shallowRef(0);
  let cursor = options.lastEventId;

  function open(to: string): () => void {
    const source = new EventSource<Record<string, any>>(to, {
      parse: JSON.parse,
      ...options,
      lastEventId: cursor,
    });
    const change = (failure: FailureEvent | null) => {
      state.value = STATES[source.readyState];
      error.value = failure;
    };
    source.onopen = () => change(null);
    source.onerror = change;
    source.addEventListener('fanline:end', () => change(null));
    for (const type of [...events, 'fanline:reset']) {
      source.addEventListener(type, ({ data, lastEventId: id }) => {
        value.value = reduce(value.value, { type, data, id } as StreamEvent<Events>);
      });
    }
    return () => {
      cursor = source.lastEventId;
      source.close();
    };
  }

  // Mounted: so not on a server. The watcher ends with the component, and what it has opened with the watcher.
  onMounted(() => {
    watch(
      [() => toValue(url), attempt] as const,
      ([to], [from], onCleanup) => {
        if (from !== undefined && from !== to) {
          cursor = undefined;
          value.value = initial;
        }
        state.value = to ? 'connecting' : 'closed';
        error.value = null;
        if (to) onCleanup(open(to));
      },
      { immediate: true },
    );
  });

  return {
    state,
    value,
    error,
    reconnect: () => {
      attempt.value += 1;
    },
  };
}
