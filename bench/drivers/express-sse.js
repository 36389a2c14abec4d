'use strict';

const { httpServer } = require('../suite/http-server');
const { versionOf } = require('../suite/version');

/**
 * By default each newcomer's empty list of first values is written to everybody who is there (`serialize`); with this it is not, and
 * then the head of the response has to be sent by hand.
 */
const OPTIONS = { isSerialized: false };

async function create({ onStream }) {
  const SSE = require('express-sse');
  const all = new SSE([], OPTIONS);
  const open = (sse, req, res) => {
    sse.init(req, res);
    res.flushHeaders();
  };
  const listen = httpServer({
    events: (req, res) => open(all, req, res),
    stream(req, res) {
      const sse = new SSE([], OPTIONS);
      open(sse, req, res);
      onStream({
        send: (text) => sse.send(text),
        async pipe(source) {
          for await (const text of source) sse.send(text);
          res.end();
        },
        end: () => res.end(),
      });
    },
  });
  return { listen, broadcast: (text) => all.send(text) };
}

module.exports = {
  what: 'express-sse: send() of one instance for everybody; an instance for each stream of its own',
  versions: () => ({ 'express-sse': versionOf('express-sse') }),
  has: ['broadcast', 'private', 'pipe', 'ping'],
  create,
};
