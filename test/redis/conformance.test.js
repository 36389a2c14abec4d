'use strict';

// The suite of adapters over Redis, with each client library.

const { once } = require('node:events');
const { redisAdapter } = require('fanline/redis');
const { conformance } = require('../adapters/conformance');
const { remoteAdapter } = require('../adapters/support/remote');
const { startRedis } = require('./support/server');

const LIBRARIES = {
  'ioredis 6': (port) => new (require('ioredis').Redis)(port, '127.0.0.1'),
  'ioredis 5': (port) => new (require('ioredis5').Redis)(port, '127.0.0.1'),
  'redis 6': (port) => require('redis').createClient({ socket: { port } }),
  'redis 5': (port) => require('redis5').createClient({ socket: { port } }),
};

const MORTAL = 'ioredis 6'; // one is enough: to be sure that somebody has died takes 15 s
const IN_WORKER = require.resolve('./support/adapter');

let server;
before(async () => {
  server = await startRedis();
});
after(() => server.stop());

let worlds = 0;
for (const [name, create] of Object.entries(LIBRARIES)) {
  conformance({
    name,
    dies: name === MORTAL,
    silence: 16_000,
    slack: 200, // the stream is trimmed in nodes of a hundred
    async start({ maxLen }) {
      const client = create(server.port);
      const ready = once(client, 'ready');
      client.connect?.().catch?.(() => {}); // ioredis connects by itself
      await ready;
      const prefix = `world-${++worlds}`;
      return {
        adapter: () => redisAdapter(client, { prefix, maxLen }),
        mortal: () => remoteAdapter(IN_WORKER, { port: server.port, prefix, maxLen }),
        kill: (adapter) => adapter.kill(),
        async stop() {
          if (client.destroy) client.destroy();
          else client.disconnect();
        },
      };
    },
  });
}
