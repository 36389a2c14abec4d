import compat from './better-sse.js';

export const {
  Channel,
  Connection,
  EventBuffer,
  FetchConnection,
  NodeHttp1Connection,
  NodeHttp2CompatConnection,
  Session,
  SseError,
  createChannel,
  createEventBuffer,
  createResponse,
  createSession,
  hub,
} = compat;
