'use strict';

const { createChannel, createSession } = require('better-sse');

module.exports = function driver() {
  const channel = createChannel();
  return {
    connect: (req, res) => createSession(req, res).then((session) => channel.register(session)),
    broadcast: (text) => channel.broadcast(text),
  };
};
