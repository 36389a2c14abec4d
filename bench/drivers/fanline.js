'use strict';

const { createHub, sse } = require('../..');
const { httpServer } = require('../suite/http-server');

/**
 * Broadcasting as an application would: everyone is in one room.
 *
 * @param {object} options of the driver
 * @param {object} [more] other options of the hub and of streams of their own
 * @param {{ key: string, cert: string }} [tls]
 */
async function create({ history, queueBytes, onStream }, more = {}, tls = undefined) {
  const limits = queueBytes ? { limits: { queueBytes } } : {};
  const hub = createHub({ history: history ? { events: history } : false, ...limits, ...more });
  const all = hub.to('all');
  const listen = httpServer(
    {
      events: (req, res, { rooms }) => hub.connect(req, res, { rooms: ['all', ...rooms] }),
      stream(req, res) {
        const client = sse(req, res, more);
        onStream({
          send: (text) => client.send(text),
          pipe: (source) => client.pipe(source),
          end: () => client.close(),
        });
      },
    },
    tls,
  );
  return {
    listen,
    broadcast: (text) => all.send(text),
    toRoom: (room, text) => hub.to(room).send(text),
    clients: () => [...hub.clients.values()],
    stats: () => hub.stats(),
  };
}

module.exports = {
  what: 'a hub; everybody is in one room; its I/O thread writes the streams',
  versions: () => ({ fanline: require('../../package.json').version }),
  has: ['broadcast', 'rooms', 'private', 'pipe', 'replay', 'churn', 'stats', 'ping'],
  create,
};
