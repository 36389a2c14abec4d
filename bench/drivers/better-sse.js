'use strict';

const { httpServer } = require('../suite/http-server');
const { versionOf } = require('../suite/version');

async function create() {
  const { createChannel, createSession } = require('better-sse');
  const channel = createChannel();
  return {
    listen: httpServer({
      events: (req, res) => createSession(req, res).then((session) => channel.register(session)),
    }),
    broadcast: (text) => channel.broadcast(text),
  };
}

module.exports = {
  what: 'better-sse: a channel of sessions',
  versions: () => ({ 'better-sse': versionOf('better-sse') }),
  has: ['broadcast', 'ping'],
  create,
};
