'use strict';

const { createHub, sse } = require('../..');
const { httpServer } = require('../suite/http-server');

/** Broadcasting as an application would: everyone is in one room. */
async function create({ history, onStream }, { hub: options = {} } = {}) {
  const hub = createHub({ history: history ? { events: history } : false, ...options });
  const all = hub.to('all');
  return {
    listen: httpServer({
      events: (req, res, { rooms }) => hub.connect(req, res, { rooms: ['all', ...rooms] }),
      stream(req, res) {
        const client = sse(req, res);
        onStream({
          send: (text) => client.send(text),
          pipe: (source) => client.pipe(source),
          end: () => client.close(),
        });
      },
    }),
    broadcast: (text) => all.send(text),
    toRoom: (room, text) => hub.to(room).send(text),
    clients: () => [...hub.clients],
    stats: () => hub.stats(),
  };
}

module.exports = {
  what: 'a hub; everybody is in one room; streams are written by its I/O thread',
  versions: () => ({ fanline: require('../../package.json').version }),
  has: ['broadcast', 'rooms', 'private', 'pipe', 'churn', 'stats', 'ping'],
  create,
};
