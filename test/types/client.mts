// `fanline/client` with and without an event map: what it accepts and refuses. Compiled, never run.

import { EventSource } from 'fanline/client';
import type { FailureEvent, ServerEvent } from 'fanline/client';

interface News {
  message: string;
  said: { by: string; text: string };
  count: number;
}

const source = new EventSource<News>('/events', { parse: JSON.parse });
source.addEventListener('said', ({ data, lastEventId }) => [data.by.trim(), lastEventId.trim()]);
source.addEventListener('count', (event) => event.data.toFixed(), { once: true });
source.addEventListener('message', { handleEvent: ({ data }) => data.trim() });
source.addEventListener('open', (event: Event) => event.type);
source.addEventListener('fanline:reset', ({ data }) => data.trim());
source.addEventListener('fanline:end', () => source.close());
source.onmessage = ({ data, origin }) => data.trim() + origin.trim();
source.onerror = ({ code, status, attempt, delay }) => {
  if (code === 'ERR_FAN_STATUS' && status === 401 && delay === null) return attempt.toFixed();
  // @ts-expect-error no such code
  return code === 'ERR_FAN_STATUSES';
};
const onSaid = (event: ServerEvent<{ by: string; text: string }>) => event.data.text;
source.addEventListener('said', onSaid);
source.removeEventListener('said', onSaid);

// @ts-expect-error a name that is not in the map
source.addEventListener('sad', () => {});
// @ts-expect-error a name that is not in the map
source.removeEventListener('sad', () => {});
// @ts-expect-error another event's payload
source.addEventListener('count', (event: ServerEvent<string>) => event.data);
// @ts-expect-error a number is not text
source.addEventListener('count', ({ data }) => data.trim());
// @ts-expect-error no such handler
source.onsaid = null;
// @ts-expect-error only the server's end is told with data
source.addEventListener('open', ({ data }) => data);
// @ts-expect-error data that is not text needs `parse`
new EventSource<News>('/events');
// @ts-expect-error data that is not text needs `parse`
new EventSource<News>('/events', { silence: 5 });

// text needs no `parse`
const texts = new EventSource<{ a: string; b: 'x' | 'y' }>(new URL('https://example.org/'));
texts.addEventListener('b', ({ data }) => data satisfies 'x' | 'y');
texts.onmessage = ({ data }) => data;

// without a map: every name, any data
const any = new EventSource('/events', {
  withCredentials: true,
  method: 'PUT',
  headers: async () => ({ Authorization: 'Bearer x' }),
  body: () => new Blob(['x']),
  signal: new AbortController().signal,
  lastEventId: '5',
  retry: { min: 5, max: 10, attempts: 3 },
  silence: false,
  batch: false,
  fetch: (url, init) => fetch(url, { ...init, keepalive: true }),
});
any.addEventListener('whatever', ({ data }) => data.whatever);
any.addEventListener('error', (event: FailureEvent) => event.message);
const state: 0 | 1 | 2 = any.readyState;
const target: EventTarget = any;
void [state, target, EventSource.OPEN, any.CLOSED, any.lastEventId.trim()];

new EventSource('/events', { retry: false, headers: [['a', 'b']], body: 'x' });
// @ts-expect-error an unknown option
new EventSource('/events', { retries: 5 });
// @ts-expect-error a stream cannot be sent twice
new EventSource('/events', { body: new ReadableStream() });
// @ts-expect-error no such option
new EventSource('/events', { retry: { minimum: 5 } });
// @ts-expect-error false or ms
new EventSource('/events', { silence: true });
