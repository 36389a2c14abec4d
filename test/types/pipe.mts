// client.pipe: what is a source, and what its options may be. Compiled, never run.

import { createReadStream } from 'node:fs';
import { Readable } from 'node:stream';
import { ReadableStream } from 'node:stream/web';
import { createHub, sse } from 'fanline';
import type { CloseReason, PipeOptions, PipeResult, PipeSource } from 'fanline';
import type { IncomingMessage, ServerResponse } from 'node:http';

declare const req: IncomingMessage;
declare const res: ServerResponse;

declare const body: ReadableStream<Uint8Array>;

const client = createHub().connect(req, res);

// sources
client.pipe([1, 2]);
client.pipe(new Map([[1, 2]]));
client.pipe([Promise.resolve(1)]);
client.pipe(Readable.from(['a']));
client.pipe(createReadStream('log', 'utf8'));
client.pipe(new ReadableStream<string>());
client.pipe(body);
client.pipe(async function* (signal) {
  signal.throwIfAborted();
  yield 1;
});
client.pipe(function* () {
  yield 1;
});
client.pipe(async (signal: AbortSignal) => (signal.aborted ? [] : body));
client.pipe(() => [1]);
const source: PipeSource<number> = async () => [1];
client.pipe(source);
// @ts-expect-error text is no source
client.pipe('text');
// @ts-expect-error bytes are none
client.pipe(new Uint8Array(1));
// @ts-expect-error bytes are none
client.pipe(Buffer.from('text'));
// @ts-expect-error nor is what a function answers
client.pipe(() => 'text');
// @ts-expect-error not iterable
client.pipe({});
// @ts-expect-error missing
client.pipe();

// the answer
const { sent, closed, error }: PipeResult = await client.pipe([]);
const reason: CloseReason | null = closed;
sent.toFixed();
void [reason, error];

// options
client.pipe([1], {});
client.pipe([1], { event: 'n', done: '[DONE]', error: (err) => String(err), end: false });
client.pipe([1], { event: undefined, map: undefined, done: undefined, error: undefined });
client.pipe([1], { done: { data: { n: 1 } } });
client.pipe([1], { done: { data: { n: 1 }, event: 'done' }, error: async () => ({ data: 5 }) });
client.pipe([1], { map: (n) => ({ data: n.toFixed(), event: 'n', id: n, retry: 5 }) });
client.pipe([1], { map: (n) => (n > 5 ? { data: n } : undefined) });
client.pipe(['a'], { map: async (text) => ({ data: text.length }) });
client.pipe(Readable.from(['a']), { map: (chunk) => ({ data: chunk }) });
const opts: PipeOptions = { done: 'x' };
client.pipe([1], opts);
// @ts-expect-error unknown name
client.pipe([1], { evnt: 'n' });
// @ts-expect-error a name is a string
client.pipe([1], { event: 5 });
// @ts-expect-error without data
client.pipe([1], { done: { event: 'done' } });
// @ts-expect-error a last event has no id of yours
client.pipe([1], { done: { data: 1, id: 5 } });
// @ts-expect-error an event, or undefined
client.pipe([1], { map: (n) => n });
// @ts-expect-error an event, or undefined
client.pipe([1], { map: () => null });
// @ts-expect-error an event, or its data
client.pipe([1], { error: () => 5 });
// @ts-expect-error true or false
client.pipe([1], { end: 'no' });

// an event map
interface Chat {
  message: string;
  said: { by: string; text: string };
  count: number;
}
const chat = sse<Chat>(req, res);
chat.pipe(['text']);
chat.pipe([5], { event: 'count' });
chat.pipe(['5'], { event: 'count', map: (text) => ({ data: Number(text) }) });
chat.pipe([5], { map: (n) => ({ data: { by: 'a', text: String(n) }, event: 'said' }) });
chat.pipe(['text'], { done: { data: 5, event: 'count' } });
// @ts-expect-error not the type of `message`
chat.pipe([5]);
// @ts-expect-error another event's payload
chat.pipe([5], { event: 'said' });
// @ts-expect-error a name that is not in the map
chat.pipe([5], { event: 'counts' });
// @ts-expect-error another event's payload
chat.pipe([5], { map: (n) => ({ data: n, event: 'said' }) });
// @ts-expect-error not the type of `message`
chat.pipe([5], { map: (n) => ({ data: n }) });
// @ts-expect-error another event's payload
chat.pipe(['text'], { done: { data: '5', event: 'count' } });
