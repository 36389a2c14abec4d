// fanline/compat/better-sse as an ES module sees it. Compiled, never run; test/compat compiles an application of better-sse.

import type { IncomingMessage, ServerResponse } from 'node:http';
import { Readable } from 'node:stream';
import {
  createChannel,
  createResponse,
  createSession,
  hub,
  Session,
} from 'fanline/compat/better-sse';
import type { Channel, SessionOptions } from 'fanline/compat/better-sse';

declare const req: IncomingMessage;
declare const res: ServerResponse;

interface State {
  name: string;
}

const options: SessionOptions<State> = { state: { name: 'n' }, retry: null, keepAlive: 5_000 };
const session = await createSession<State>(req, res, options);
session.state.name.toUpperCase();
session.push({ a: 1 }, 'e', 'i').push(session.lastId);
session.on('push', (_data, eventName, eventId) => eventName.concat(eventId));
// @ts-expect-error it is asked for
session.lastId = 'x';
await session.stream(Readable.from([1]));
await session.batch((buffer) => {
  buffer.event('e').data(1).dispatch();
});

const channel: Channel<{ topic: string }, State> = createChannel({ state: { topic: 't' } });
channel.register(session).broadcast(1, 'e', { filter: ({ state }) => state.name !== 'x' });
// @ts-expect-error sessions of another state
channel.register(new Session<{ other: number }>(req, res));

createResponse(new Request('http://x/'), (it) => it.push(1));

// what only fanline has
if (session.client !== null && !session.client.send(1)) await session.client.drain();
hub.stats().clients.toFixed();
await hub.close({ grace: 1_000 });
