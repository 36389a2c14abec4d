'use strict';

// fanline under the names of better-sse 0.16, written from what it publishes and what it was seen to do. An application that has
// moved here goes on to the hub by itself (docs/recipes/from-better-sse.md).

const { Channel, createChannel } = require('./channel');
const { Connection, FetchConnection } = require('./connection');
const { NodeHttp1Connection, NodeHttp2CompatConnection } = require('./connection');
const { EventBuffer, createEventBuffer } = require('./event-buffer');
const { hub } = require('./hub');
const { Session, createResponse, createSession } = require('./session');
const { SseError } = require('./sse-error');

module.exports = {
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
};
