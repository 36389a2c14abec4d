'use strict';

const { httpServer } = require('../suite/http-server');
const { versionOf } = require('../suite/version');
const { History } = require('./support/history');

/** Data is text, as it is everywhere here: JSON's quotes around it would be work that others do not have. */
const OPTIONS = { serializer: (text) => text };

const MESSAGES = { eventName: 'message' };

async function create({ history: size, onStream }) {
  const { createChannel, createSession } = require('better-sse');
  const all = createChannel();
  const channels = new Map();
  const history = new History(size);
  const channelOf = (room) => {
    if (!channels.has(room)) channels.set(room, createChannel());
    return channels.get(room);
  };
  const listen = httpServer({
    async events(req, res, asked) {
      const session = await createSession(req, res, OPTIONS);
      const missed = history.after(asked.lastEventId);
      if (missed.length > 0) {
        session.batch((buffer) => {
          for (const { text, id } of missed) buffer.push(text, 'message', id);
        });
      }
      all.register(session);
      for (const room of asked.rooms) channelOf(room).register(session);
    },
    async stream(req, res) {
      const session = await createSession(req, res, OPTIONS);
      onStream({
        send: (text) => session.push(text),
        pipe: (source) => session.iterate(source, MESSAGES).then(() => res.end()),
        end: () => res.end(),
      });
    },
  });
  return {
    listen,
    broadcast(text) {
      const id = history.next()?.toString();
      history.keep({ text, id });
      all.broadcast(text, 'message', { eventId: id });
    },
    toRoom: (room, text) => channels.get(room)?.broadcast(text),
    clients: () =>
      all.activeSessions.map((session) => ({
        join: (room) => channelOf(room).register(session),
        leave: (room) => channelOf(room).deregister(session),
      })),
  };
}

module.exports = {
  what: 'better-sse: a channel for each room; what a session has missed is one batch',
  versions: () => ({ 'better-sse': versionOf('better-sse') }),
  has: ['broadcast', 'rooms', 'private', 'pipe', 'replay', 'churn', 'ping'],
  create,
};
