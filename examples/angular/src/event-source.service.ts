import { isPlatformBrowser } from '@angular/common';
import {
  effect,
  Injectable,
  inject,
  PLATFORM_ID,
  type Signal,
  signal,
  untracked,
} from '@angular/core';
import { EventSource, type EventSourceOptions, type FailureEvent } from 'fanline/client';
import { EMPTY, Observable } from 'rxjs';

/** One of the events of a map of names to data. `fanline:reset`: what was missed is not kept; the server tells all anew. */
export type StreamEvent<Events> =
  | { type: 'fanline:reset'; data: string; id: string }
  | {
      [Name in keyof Events & string]: { type: Name; data: Events[Name]; id: string };
    }[keyof Events & string];

export interface EventsOptions<Events> extends Omit<EventSourceOptions, 'signal'> {
  /** The names of the events to listen for. */
  events: readonly (keyof Events & string)[];
}

export interface StreamOptions<Events, Value> extends EventsOptions<Events> {
  /** Makes the next value of the last and an event. It is called for every one of them. */
  reduce: (value: Value, event: StreamEvent<Events>) => Value;
  initial: Value;
}

type State = 'connecting' | 'open' | 'closed';

export interface Stream<Value> {
  /** `closed`: for good. `error` says why; without one the server has ended it, or there is no URL. */
  readonly state: Signal<State>;
  readonly value: Signal<Value>;
  /** What failed last, until the stream is open again. */
  readonly error: Signal<FailureEvent | null>;
  /** Asks anew, with another token say, and goes on where the stream was. */
  reconnect(): void;
}

const STATES: State[] = ['connecting', 'open', 'closed'];

/** Event streams, as signals and as Observables. Data is JSON, unless `parse` says otherwise. None is opened on a server. */
@Injectable({ providedIn: 'root' })
export class EventSourceService {
  private readonly isBrowser = isPlatformBrowser(inject(PLATFORM_ID));

  /**
   * A stream that lives as long as the component whose constructor or field this is called in. `url` may read signals:
   * another URL is another stream and begins with `initial`, null is none. For options that change give functions, as
   * `headers: () => …`.
   */
  stream<Events extends object, Value>(
    url: () => string | null,
    { events, reduce, initial, ...options }: StreamOptions<Events, Value>,
  ): Stream<Value> {
    const state = signal<State>('connecting');
    const value = signal(initial);
    const error = signal<FailureEvent | null>(null);
    const attempt = signal(0);
    let last: string | null | undefined;
    let cursor = options.lastEventId;

    effect((onCleanup) => {
      const to = url();
      attempt();
      untracked(() => {
        if (last !== undefined && last !== to) {
          cursor = undefined;
          value.set(initial);
        }
        last = to;
        state.set(to ? 'connecting' : 'closed');
        error.set(null);
        if (!to || !this.isBrowser) return;
        const source = this.open<Events>(to, { ...options, events, lastEventId: cursor }, (event) =>
          value.update((before) => reduce(before, event)),
        );
        const change = (failure: FailureEvent | null) => {
          state.set(STATES[source.readyState]);
          error.set(failure);
        };
        source.onopen = () => change(null);
        source.onerror = change;
        source.addEventListener('fanline:end', () => change(null));
        onCleanup(() => {
          cursor = source.lastEventId;
          source.close();
        });
      });
    });
    return {
      state: state.asReadonly(),
      value: value.asReadonly(),
      error: error.asReadonly(),
      reconnect: () => attempt.update((count) => count + 1),
    };
  }

  /**
   * The same as an Observable: a connection for each subscriber, closed when it unsubscribes. Failures after which the
   * stream comes back are not told; it completes when the server ends it, and fails with the last failure when it stops.
   */
  events<Events extends object>(
    url: string,
    options: EventsOptions<Events>,
  ): Observable<StreamEvent<Events>> {
    if (!this.isBrowser) return EMPTY;
    return new Observable((subscriber) => {
      const source = this.open<Events>(url, options, (event) => subscriber.next(event));
      source.onerror = (failure) => {
        if (source.readyState === EventSource.CLOSED) subscriber.error(failure);
      };
      source.addEventListener('fanline:end', () => subscriber.complete());
      return () => source.close();
    });
  }

  private open<Events extends object>(
    url: string,
    { events, ...options }: EventsOptions<Events>,
    tell: (event: StreamEvent<Events>) => void,
  ): EventSource<Record<string, any>> {
    const source = new EventSource<Record<string, any>>(url, { parse: JSON.parse, ...options });
    for (const type of [...events, 'fanline:reset']) {
      source.addEventListener(type, ({ data, lastEventId: id }) => {
        tell({ type, data, id } as StreamEvent<Events>);
      });
    }
    return source;
  }
}
