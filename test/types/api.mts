// The public API as an ES module sees it. Compiled, never run.

import fanline, { createHub, sse } from 'fanline';
import type { CloseReason, HubOptions, Stats } from 'fanline';
import { createServer } from 'node:http';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createSecureServer } from 'node:http2';
import type { Http2ServerRequest } from 'node:http2';

declare const req: IncomingMessage;
declare const res: ServerResponse;

fanline.createHub().broadcast(1);
fanline.sse(req, res).send('x');

// every option
const options: HubOptions = {
  heartbeat: { interval: 15_000, event: 'beat' },
  retry: { min: 1, max: 2 },
  history: false,
  serialize: (data) => JSON.stringify(data),
  overflow: 'disconnect',
  atCapacity: 'reject',
  batchDelay: 5,
  transport: 'relay',
  limits: {
    clients: Infinity,
    clientsPerUser: 5,
    roomsPerClient: 10,
    eventBytes: 1024,
    queueBytes: 2048,
    totalBytes: 4096,
    stallTimeout: false,
    idleTimeout: 5,
    lifetime: false,
  },
};
const hub = createHub(options);
createHub({ heartbeat: false, retry: 5, serialize: () => new Uint8Array(1) });
createHub({ heartbeat: undefined, limits: { clients: undefined } });
// @ts-expect-error unknown name
createHub({ heartbaet: 5 });
// @ts-expect-error unknown name
createHub({ limits: { client: 5 } });
// @ts-expect-error false, a number or an object
createHub({ heartbeat: true });
// @ts-expect-error a number
createHub({ batchDelay: '5' });
// @ts-expect-error null is a wrong type
createHub({ retry: null });
// @ts-expect-error text or bytes
createHub({ serialize: () => 5 });
createHub({ history: { events: 5, bytes: 1 << 20, maxAge: 1_000 } });
createHub({ history: false, snapshot: () => {} });
createHub({
  snapshot: async (client, why) => {
    why satisfies 'new' | 'reset';
    await client.pipe([1]);
  },
});
for (const overflow of ['disconnect', 'dropOldest', 'dropNewest'] as const) createHub({ overflow });
// @ts-expect-error false or an object
createHub({ history: true });
// @ts-expect-error unknown name
createHub({ history: { event: 5 } });
// @ts-expect-error a function
createHub({ snapshot: {} });
// @ts-expect-error no such policy
createHub({ overflow: 'drop' });
// @ts-expect-error an adapter
createHub({ adapter: {} });
for (const transport of ['auto', 'relay', 'detached'] as const) createHub({ transport });
// @ts-expect-error what a client may have, and nobody can ask for
createHub({ transport: 'fd' });

// connect
const client = hub.connect(req, res, {
  user: '42',
  rooms: ['a', 'b'],
  data: { any: 1 },
  headers: { 'X-A': 1, 'X-B': ['a', 'b'], 'Cache-Control': null, 'X-Accel-Buffering': false },
  lastEventId: '5',
  retry: false,
  heartbeat: 5,
  lifetime: 5,
  transport: 'auto',
});
// @ts-expect-error users are strings
hub.connect(req, res, { user: 42 });
// @ts-expect-error unknown name
hub.connect(req, res, { room: 'a' });
// @ts-expect-error rooms are strings
hub.connect(req, res, { rooms: ['a', 5] });
// @ts-expect-error not a header value
hub.connect(req, res, { headers: { a: true } });

// client
const id: string = client.id;
const user: string | undefined = client.user;
const closed: CloseReason | null = client.closed;
const rooms: ReadonlySet<string> = client.rooms;
client.signal.addEventListener('abort', () => {});
const transport: 'opening' | 'fd' | 'detached' | 'relay' = client.transport;
client.join('a').leave(['a', 'b']).join([]);
client.comment();
client.comment('text');
client.retry(5);
const room: boolean = await client.drain();
client.on('close', (reason: CloseReason) => reason).off('close', () => {});
void [id, user, closed, rooms, transport, room];
// @ts-expect-error read-only
client.id = 'x';
// @ts-expect-error read-only
client.rooms.add('x');
// @ts-expect-error no such event
client.on('closed', () => {});
// @ts-expect-error ms is a number
client.retry('5');
// @ts-expect-error names are strings
client.join(5);
client.send(1, { key: 'x' });
client.send(1, { history: false });
// @ts-expect-error a string
client.send(1, { key: 5 });
// @ts-expect-error only false says something
client.send(1, { history: true });
client.on('close', (reason, cause) => [reason.length, cause]);
hub.on('disconnect', (_client, reason, cause) => [reason.length, cause]);
// @ts-expect-error unknown name
client.send(1, { evnt: 'x' });

// target
const target = hub
  .to('a')
  .to(['b'] as const)
  .user('42')
  .except('c')
  .except(client);
target
  .except([client, 'd', hub.client(client.id)])
  .send(1)
  .matched.toFixed();
hub.except(hub.user('42')).join('x');
target.leave(['x']);
target.clients().map((c) => c.id);
target.size.toFixed();
target.send(1).accepted.then((id) => id?.length);
target.deliver(1).then((d) => {
  d.id?.length;
  (d.matched + d.written + d.dropped + d.closed).toFixed();
});
// @ts-expect-error a count is a number
target.deliver(1).then((d) => d.matched.length);
target.batch({ delay: 5 }).send('x').toFixed();
// @ts-expect-error an address names strings
hub.to(5);
// @ts-expect-error an id, not a client
hub.client(client);

// hub
hub.clients.get('x')?.send(1);
const members: number | undefined = hub.rooms.get('x');
const stats: Stats = hub.stats();
(stats.disconnects.slow + (stats.relay.tls ?? 0) + hub.size).toFixed();
hub
  .on('connect', (c) => c.send('hello'))
  .on('disconnect', (c, reason) => [c.id, reason satisfies CloseReason])
  .on('join', (c, name) => [c.id, name.trim()])
  .once('leave', (c, name) => [c.id, name.trim()])
  .on('drop', (c, drop) => [c.id, drop.reason, drop.events + drop.bytes]);
const { ended, cut } = await hub.close({ grace: 5 });
void [members, ended + cut];
// @ts-expect-error no such event
hub.on('error', () => {});
// @ts-expect-error the second argument is the room's name
hub.on('join', (_c, name: number) => name);
// @ts-expect-error ms is a number
hub.close({ grace: '5' });

// handler: an object, a function, an async function
createServer(hub.handler({ rooms: 'a' }, (c, r) => c.send(r.url)));
createServer(hub.handler((r) => (r.headers.cookie ? { user: r.headers.cookie } : null)));
createServer(
  hub.handler(
    async (r) => (r.url ? { rooms: [r.url] } : null),
    (c) => c.send(1),
  ),
);
createSecureServer(hub.handler((r) => ({ rooms: r.authority })));
createSecureServer((r, s) => {
  hub.connect(r, s);
  sse(r, s);
});
hub.handler(
  (r: Http2ServerRequest) => ({ rooms: r.authority }),
  (_c, r) => r.stream.id,
);
// @ts-expect-error options or null
hub.handler(() => 5);
// @ts-expect-error options or null
hub.handler(async () => 'x');
// @ts-expect-error unknown name
hub.handler({ room: 'x' });

// handler in an Express-like application, whose request has fields of its own
interface AppRequest extends IncomingMessage {
  params: Record<string, string>;
  account?: { id: string };
}
declare const app: {
  get(
    path: string,
    ...use: ((req: AppRequest, res: ServerResponse, next: (err?: unknown) => void) => unknown)[]
  ): void;
};
app.get(
  '/events',
  hub.handler((r) => (r.account ? { user: r.account.id } : null)),
);
app.get(
  '/r/:r',
  hub.handler(
    async (r) => ({ rooms: r.params.r }),
    (c, r) => c.send(r.params),
  ),
);
app.get('/one', (r, s) => sse(r, s).send('x'));
