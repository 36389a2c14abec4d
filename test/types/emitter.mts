// Hubs and clients as EventEmitters, and what stats() and drop listeners get. Compiled, never run.

import { createHub } from 'fanline';
import type {
  Client,
  ClientEvents,
  CloseReason,
  Drop,
  DropReason,
  Hub,
  HubEvents,
  Stats,
} from 'fanline';
import { getEventListeners, on, once, setMaxListeners } from 'node:events';
import type { EventEmitter } from 'node:events';
import type { IncomingMessage, ServerResponse } from 'node:http';

declare const req: IncomingMessage;
declare const res: ServerResponse;

interface Chat {
  message: string;
  said: { by: string; text: string };
}
interface Person {
  name: string;
}

const hub = createHub<Chat, Person>();
const client = hub.connect(req, res, { data: { name: 'x' } });

// both are what Node's helpers take
const emitters: EventEmitter[] = [hub, client, createHub()];
const [connected] = (await once(hub, 'connect')) as HubEvents<Chat, Person>['connect'];
connected.send({ by: connected.data.name, text: 'x' }, { event: 'said' });
const [reason] = (await once(client, 'close')) as ClientEvents['close'];
for await (const [member, room] of on(hub, 'join', { signal: client.signal })) {
  void [member, room];
}
getEventListeners(hub, 'connect').length.toFixed();
setMaxListeners(20, hub, client);
void [emitters, reason satisfies CloseReason];

// every method, chained where it answers the emitter itself
const onJoin = (c: Client<Chat, Person>, room: string) => void [c.data.name, room.trim()];
hub
  .on('join', onJoin)
  .addListener('join', onJoin)
  .prependListener('join', onJoin)
  .prependOnceListener('leave', onJoin)
  .once('join', onJoin)
  .off('join', onJoin)
  .removeListener('leave', onJoin)
  .setMaxListeners(0)
  .removeAllListeners('join')
  .removeAllListeners()
  .stats();
const count: number = hub.listenerCount('join', onJoin) + hub.getMaxListeners();
const names: (string | symbol)[] = client.eventNames();
const [first] = client.listeners('close');
first?.('shutdown');
void [count, names];

// names and payloads that do not exist
// @ts-expect-error no such event
hub.once('connected', () => {});
// @ts-expect-error no such event: nothing is ever told that way
hub.addListener('error', () => {});
// @ts-expect-error no such event
hub.off('close', () => {});
// @ts-expect-error an event of the hub, not of a client
client.on('disconnect', () => {});
// @ts-expect-error an event of the hub, not of a client
client.once('drop', () => {});
// @ts-expect-error no such event
hub.listenerCount('joined');
// @ts-expect-error the first argument is the client
hub.on('connect', (name: string) => name);
// @ts-expect-error the second argument is the reason
hub.on('disconnect', (_c, left: number) => left);
// @ts-expect-error another reason than there is
hub.on('disconnect', (_c, why) => why === 'timeout');
// @ts-expect-error a reason, not an error
client.on('close', (err: Error) => err);
// @ts-expect-error more arguments than there are
hub.on('leave', (_c, _room, why: string) => why);
// @ts-expect-error events that are not in the map, from the client of a listener
hub.on('connect', (c) => c.send('x', { event: 'sed' }));
// @ts-expect-error the payload of another event, from the client of a listener
hub.on('connect', (c) => c.send('x', { event: 'said' }));
// @ts-expect-error not the type of client.data
hub.on('connect', (c) => c.data.nmae);
// @ts-expect-error the payload is missing
hub.emit('leave', client);

// drop
hub.on('drop', (_c, drop: Drop) => {
  const why: DropReason = drop.reason;
  (drop.events + drop.bytes).toFixed();
  // @ts-expect-error not a reason
  if (why === 'dropped') return;
  // @ts-expect-error read-only
  drop.events = 0;
});

// stats(): every field, and no other
const stats: Stats = hub.stats();
const sum: number =
  stats.clients +
  stats.rooms +
  stats.users +
  stats.events +
  stats.deliveries +
  stats.heartbeats +
  stats.writes +
  stats.blockedWrites +
  stats.bytesWritten +
  stats.framesWritten +
  stats.bufferedBytes +
  stats.inboxBytes +
  stats.peakBytes +
  stats.encodes +
  stats.crossings +
  stats.flushes +
  stats.callbacks +
  stats.notices +
  stats.wakeups;
(stats.relay.tls ?? stats.relay.http2 ?? stats.relay.option ?? sum).toFixed();
(stats.relay.encoding ?? stats.relay.length ?? stats.relay.descriptor ?? sum).toFixed();
(stats.drops.slow?.events ?? stats.drops.stalled?.bytes ?? sum).toFixed();
(stats.disconnects.client + stats.disconnects.shutdown).toFixed();
(stats.refused.capacity ?? stats.refused.shutdown ?? stats.refused.client ?? sum).toFixed();
// @ts-expect-error no such counter
void stats.frames;
// @ts-expect-error no such cause
void stats.relay.gzip;
// @ts-expect-error may be missing
stats.refused.capacity.toFixed();
// @ts-expect-error may be missing
stats.drops.slow.events.toFixed();
// @ts-expect-error no such reason
void stats.disconnects.gone;
// @ts-expect-error read-only
stats.clients = 0;

// a hub with a map where any is wanted, and where another is
const loose: Hub<any, any> = hub;
// @ts-expect-error what it sends would not be checked against the map's own
const strict: Hub<{ tick: number }> = createHub<{ tock: string }>();
void [loose, strict];
