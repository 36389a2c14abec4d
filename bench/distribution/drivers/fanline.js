'use strict';

const { once } = require('node:events');
const { createHub } = require('../../..');
const { redisAdapter } = require('../../../lib/redis');

const ROOM = 'all';

module.exports = async function driver(server, client, { window, maxLen }) {
  const hub = createHub({ adapter: redisAdapter(client, { maxLen }) });
  server.on('request', hub.handler({ rooms: ROOM }));
  await once(hub, 'adapter');
  hub.on('adapter', ({ state, error }) => console.error(`fanline: ${state}`, error ?? ''));
  let accepted = 0;
  return {
    stats: () => hub.stats(),
    send: (text, room = ROOM) => hub.to(room).send(text),
    /** Resolves when at most `window` of `sent` are on their way. */
    async paced(sent, last) {
      last.accepted.then(() => {
        accepted = sent;
      });
      while (sent - accepted > window) await last.accepted;
    },
  };
};
