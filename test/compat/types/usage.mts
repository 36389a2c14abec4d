// An application of better-sse, with types. Compiled as it is, and once more with the name of the package exchanged.

import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer } from 'node:http2';
import { Readable } from 'node:stream';
import {
  type Channel,
  Connection,
  createChannel,
  createEventBuffer,
  createResponse,
  createSession,
  EventBuffer,
  FetchConnection,
  NodeHttp1Connection,
  Session,
  SseError,
} from 'better-sse';
import type {
  BroadcastOptions,
  BuiltInConnectionOptions,
  ChannelEvents,
  ChannelOptions,
  ConnectionConstants,
  CreateResponseCallback,
  DefaultChannelState,
  DefaultSessionState,
  EventBufferOptions,
  IterateOptions,
  SessionEvents,
  SessionOptions,
  StreamOptions,
} from 'better-sse';
import express from 'express';

declare module 'better-sse' {
  interface DefaultSessionState {
    user: string;
  }
  interface DefaultChannelState {
    topic: number;
  }
}

interface State {
  name: string;
  seen?: number;
}

const options: SessionOptions<State> = {
  serializer: (data: unknown) => String(data),
  sanitizer: (text) => text.trim(),
  trustClientEventId: false,
  retry: null,
  keepAlive: 5_000,
  statusCode: 200,
  headers: { 'X-A': 'a', 'X-B': ['b', 'c'], 'X-C': undefined },
  state: { name: 'n' },
};

const channel: Channel<{ topic: string }, State> = createChannel<{ topic: string }, State>({
  state: { topic: 't' },
});
channel.state.topic.toUpperCase();
channel
  .on('session-registered', (session) => session.state.name.toUpperCase())
  .on('session-disconnected', ({ state }) => state.seen?.toFixed())
  .on('broadcast', (data: unknown, eventName, eventId) => {
    eventName.concat(eventId);
  });

const app = express();
app.get('/', async (req, res) => {
  const session: Session<State> = await createSession<State>(req, res, options);
  session.state.name = req.ip ?? '';
  // @ts-expect-error no such state
  session.state.nothing;
  channel.register(session).broadcast({ a: 1 }, 'joined', {
    eventId: '5',
    filter: (it) => it.state.name !== session.state.name && it !== session,
  });
  const isConnected: boolean = session.isConnected;
  session.push(isConnected).push('text', session.lastId, '7');
  session.once('disconnected', () => channel.deregister(session));
  session.on('push', (data, eventName, eventId) => [data, eventName.length, eventId.length]);
  session.on('of your own', (anything) => anything);
  // @ts-expect-error three arguments are told
  session.on('push', (_a: unknown, _b: string, _c: string, _d: string) => {});
  await session.iterate([1, 2], { eventName: 'n' });
  const isThrough: boolean = await session.stream(Readable.from([1]));
  await session.stream(new ReadableStream(), { eventName: String(isThrough) });
  await session.batch(async (buffer) => {
    await buffer.iterate(new Set([1]));
    buffer.event('e').data(1).id().retry(5).comment().dispatch().push(1, 'e', 'i');
  });
  await session.batch(createEventBuffer({ serializer: JSON.stringify }).push(1));
  const { push } = session;
  push(1);
  const url: string = session.getRequest().url;
  const status: number = session.getResponse().status;
  return void [url, status];
});

declare const req: IncomingMessage;
declare const res: ServerResponse;
const byDefault = new Session(req, res);
byDefault.state.user.toUpperCase();
byDefault.state['anything'];
createChannel().state.topic.toFixed();
createChannel().register(byDefault);
// @ts-expect-error sessions of another state
createChannel<object, { other: number }>().register(new Session<State>(req, res));
const count: number = channel.sessionCount;
const list: readonly Session<State>[] = channel.activeSessions;
// @ts-expect-error it is a number
const text: string = channel.sessionCount;

createServer(async (request, response) => {
  (await createSession(request, response, { retry: count })).push(list.length);
});

export const GET = (request: Request) =>
  createResponse(request, new Response(), { state: { name: 'n' } }, (session) => {
    session.push(session.state.name);
  });
export const POST = async (request: Request): Promise<Response> => {
  const session = await createSession(request, { state: { name: 'n' } });
  return session.getResponse();
};
const callback: CreateResponseCallback<State> = (session) => session.push(text);
createResponse<State>(new Request('http://x/'), options, callback);

class Own extends Connection {
  url = new URL('http://x/');
  request = new Request(this.url);
  response = new Response();
  sendHead() {}
  sendChunk(chunk: string) {
    chunk.length;
  }
  cleanup() {}
}
const constants: ConnectionConstants = Connection.constants;
Connection.applyHeaders({ a: constants.RESPONSE_HEADERS['a'], b: ['c'] }, new Headers());
const builtIn: BuiltInConnectionOptions = { statusCode: constants.RESPONSE_CODE };
new Session(new Own(), { retry: 5 });
createResponse(new FetchConnection(new Request('http://x/'), null, builtIn), () => {});
createSession(new NodeHttp1Connection(req, res, builtIn));

try {
  byDefault.push(1);
} catch (err) {
  if (err instanceof SseError) err.message.trim();
}

const buffer: EventBuffer = new EventBuffer({} satisfies EventBufferOptions);
buffer.read().trim();
const events = { connected() {}, disconnected() {}, push() {} } satisfies Partial<SessionEvents>;
byDefault.on('connected', events.connected);
export type All = [
  BroadcastOptions<State>,
  ChannelEvents<State>,
  ChannelOptions<DefaultChannelState>,
  DefaultSessionState,
  IterateOptions,
  StreamOptions,
];
