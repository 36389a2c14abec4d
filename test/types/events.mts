// Typed event maps: what a hub with a map accepts and refuses. Compiled, never run.

import { createHub, sse } from 'fanline';
import type { BatchItem, Client, CloseOptions, Hub, Receipt } from 'fanline';
import type { IncomingMessage, ServerResponse } from 'node:http';

declare const req: IncomingMessage;
declare const res: ServerResponse;

interface Chat {
  message: string;
  said: { by: string; text: string };
  count: number;
}

const hub = createHub<Chat>();
const client = hub.connect(req, res);

// names and their payloads
const receipt: Receipt = hub.broadcast({ by: 'a', text: 'b' }, { event: 'said' });
receipt.matched.toFixed();
hub.to('x').send(5, { event: 'count', id: 7 });
const more: boolean = client.send({ by: 'a', text: 'b' }, { event: 'said', id: 'x', retry: 5 });
void more;

// @ts-expect-error another event's payload
hub.broadcast(5, { event: 'said' });
// @ts-expect-error a payload without all of its fields
hub.to('x').send({ by: 'a' }, { event: 'said' });
// @ts-expect-error a payload of the wrong type
client.send('5', { event: 'count' });
// @ts-expect-error a name that is not in the map
hub.broadcast(5, { event: 'counts' });
// @ts-expect-error a name that is not in the map
client.send(5, { event: 'counts' });
// @ts-expect-error names are strings
client.send(5, { event: 5 });

// without a name: the type of `message`
hub.broadcast('text');
hub.broadcast('text', { id: 1 });
client.send('text', { event: undefined });
client.send('text', { event: 'message' });
// @ts-expect-error not the type of `message`
hub.broadcast(5);
// @ts-expect-error not the type of `message`
client.send({ by: 'a', text: 'b' }, { id: 1 });

// a name known only as one of several
declare const name: 'count' | 'said';
hub.broadcast(5, { event: name });
// @ts-expect-error of none of them
hub.broadcast('text', { event: name });

// a map without `message`
const bare = createHub<{ tick: number }>();
bare.broadcast(1, { event: 'tick' });
bare.broadcast({ whatever: true });
// @ts-expect-error a name that is not in the map
bare.broadcast(1, { event: 'message' });

// without a map: everything goes
const loose = createHub();
declare const maybe: string | undefined;
loose.broadcast({ a: [1] }, { event: 'any' });
if (maybe !== undefined) loose.to('x').send(1, { event: maybe });
loose.to('x').send(1, { event: maybe });
// @ts-expect-error the data is missing
loose.broadcast();
const untyped: Hub = loose;
void untyped;

// a last event
client.close();
client.close({ data: 'bye' });
client.close({ event: 'count', data: 3 });
client.close({ event: 'count', reconnect: false });
client.close({ reconnect: false });
hub.to('x').disconnect({ event: 'said', data: { by: 'a', text: 'b' }, reconnect: false });
// @ts-expect-error a name needs data
client.close({ event: 'count' });
// @ts-expect-error another event's payload
client.close({ event: 'count', data: 'three' });
// @ts-expect-error a name that is not in the map
client.close({ event: 'counts', data: 3 });
// @ts-expect-error not the type of `message`
hub.to('x').disconnect({ data: 5 });
const last: CloseOptions = { event: 'any', data: { a: 1 } };
loose.to('x').disconnect(last);

// a batch
const batch = hub.to('x').batch({ delay: 50, events: Infinity, event: 'several' });
const waiting: number = batch.send({ by: 'a', text: 'b' }, { event: 'said' });
void waiting;
batch.send('text');
batch.send('text', { event: undefined });
batch.send('text', { event: 'message' });
const flushed: Receipt | null = batch.flush();
void flushed;
batch.close();
// @ts-expect-error another event's payload
batch.send(5, { event: 'said' });
// @ts-expect-error a name that is not in the map
batch.send(5, { event: 'counts' });
// @ts-expect-error not the type of `message`
batch.send(5);
// @ts-expect-error one item has no id
batch.send('text', { id: 1 });
// @ts-expect-error an array has no id
hub.to('x').batch({ id: 1 });
// @ts-expect-error ms
hub.to('x').batch({ delay: '5' });
hub.except([]).batch().send(5, { event: 'count' });
loose.to('x').batch().send({ any: 'thing' }, { event: 'any' });
declare const item: BatchItem<Chat>;
if (item.event === 'count') item.data.toFixed();
else if (item.event === 'said') item.data.by.trim();
else item.data.trim();
// @ts-expect-error not a number
if (item.event === 'message') item.data.toFixed();
const looseItem: BatchItem = { event: 'any', data: { any: 'thing' } };
void looseItem;

// sse
const stream: Client<{ token: string }> = sse<{ token: string }>(req, res, { retry: 1000 });
stream.send('a', { event: 'token' });
// @ts-expect-error another type
stream.send(1, { event: 'token' });
// @ts-expect-error no rooms
sse(req, res, { rooms: 'x' });
// @ts-expect-error no user
sse(req, res, { user: 'x' });

// the data of a client
const users = createHub<Chat, { name: string }>();
users.connect(req, res, { data: { name: 'x' } }).data.name.trim();
users.on('connect', (c) => c.data.name.trim());
// @ts-expect-error required: client.data.name would be a lie
users.connect(req, res, {});
// @ts-expect-error the same without options
users.connect(req, res);
// @ts-expect-error the wrong type
users.connect(req, res, { data: { name: 5 } });
// @ts-expect-error the wrong type, from a handler
users.handler(() => ({ data: 5 }));
const optional = createHub<Chat, { name: string } | undefined>();
optional.connect(req, res).data?.name.trim();
// @ts-expect-error may be undefined
optional.connect(req, res).data.name.trim();
