// The public API as CommonJS sees it, with both forms of import. Compiled, never run.

import fanline = require('fanline');
import { createHub, sse } from 'fanline';
import type { Client, Hub, Target } from 'fanline';
import http = require('node:http');

const hub: Hub = fanline.createHub({ retry: 5 });
const typed: Hub<{ tick: number }> = createHub<{ tick: number }>();
http.createServer((req, res) => {
  const client: Client = hub.connect(req, res, { rooms: 'a' });
  const target: Target = hub.to('a').except(client);
  target.send({ hello: true });
  fanline.sse(req, res).send('x');
  sse(req, res).close();
});
typed.broadcast(1, { event: 'tick' });
// @ts-expect-error another type
typed.broadcast('1', { event: 'tick' });
// @ts-expect-error a name that is not in the map
typed.broadcast(1, { event: 'tock' });
// @ts-expect-error no such export
fanline.createHubs();

// an EventEmitter here too
import events = require('node:events');

const emitter: events.EventEmitter = typed;
events.once(hub, 'connect').then(([client]) => (client as Client).send('x'));
hub.on('drop', (_client, drop: fanline.Drop) => drop.reason satisfies fanline.DropReason);
typed.on('connect', (client) => client.send(1, { event: 'tick' }));
// @ts-expect-error another type
typed.on('connect', (client) => client.send('1', { event: 'tick' }));
// @ts-expect-error no such event
hub.on('connected', () => {});
// @ts-expect-error no such counter
hub.stats().frames;
void emitter;
