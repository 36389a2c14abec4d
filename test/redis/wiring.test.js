'use strict';

// Wrong wiring: what can be seen at once is thrown, all else is told by the hub's `adapter` event and by `accepted`. Never a
// wait without end, never a rejection that nobody handles.

const assert = require('node:assert/strict');
const { redisAdapter } = require('fanline/redis');
const { startRedis } = require('./support/server');
const { LIBRARIES, World } = require('./support/wired');

describe('redis: wiring', () => {
  let world;
  let redis;

  const start = async (conf) => {
    redis = world.server(await startRedis(conf));
  };
  const admin = (options) => world.client('ioredis 6', redis.port, options);

  /** What the hub tells, and what its sends reject with: one for the other. */
  async function refused(hub, pattern) {
    const sent = hub.hub.to('x').send('1');
    const delivery = hub.hub.to('x').deliver('2');
    const error = await hub.error(pattern);
    for (const promise of [sent.accepted, delivery])
      await assert.rejects(promise, { code: 'ERR_FAN_ADAPTER', message: pattern });
    assert.equal(error.code, 'ERR_FAN_ADAPTER');
    assert(error.cause instanceof Error);
  }

  beforeEach(() => {
    world = new World();
  });

  afterEach(() => world.end());

  it('refuses at once what is no client', async () => {
    const { createClientPool } = require('redis');
    const Redis = require('ioredis');
    const io = new Redis({ lazyConnect: true });
    const node = require('redis').createClient();
    const sentinel = require('redis5').createSentinel({
      name: 'x',
      sentinelRootNodes: [{ port: 1 }],
    });
    const wrong = [
      undefined,
      sentinel, // no duplicate()
      null,
      'redis://localhost',
      {},
      io.multi(),
      io.pipeline(),
      node.multi(),
      createClientPool(),
      Redis,
    ];
    for (const client of wrong)
      assert.throws(() => redisAdapter(client), {
        code: 'ERR_FAN_ARG',
        name: 'TypeError',
        message: /"client"/,
      });
    redisAdapter(io);
    redisAdapter(node);
  });

  it('refuses at once options that it does not know, and values that can’t be', () => {
    const node = require('redis').createClient();
    const wrong = [
      [{ maxlen: 5 }, /maxlen/],
      [{ prefix: '' }, /prefix/],
      [{ prefix: 'a{b}' }, /prefix/],
      [{ prefix: 5 }, /prefix/],
      [{ maxLen: 0 }, /maxLen/],
      [{ maxLen: 1.5 }, /maxLen/],
      [{ maxAge: -1 }, /maxAge/],
      [{ maxPendingBytes: 0 }, /maxPendingBytes/],
      [5, /options/],
    ];
    for (const [options, message] of wrong)
      assert.throws(() => redisAdapter(node, options), { code: 'ERR_FAN_OPTION', message });
  });

  for (const library of ['ioredis 5', 'redis 6', 'redis 5']) {
    const isSeen = library !== 'redis 5';
    it(`${library}: a connection in subscriber mode is refused${isSeen ? ' at once' : ''}`, async () => {
      await start();
      const client = world.client(library, redis.port, library === 'redis 6' ? { RESP: 2 } : {});
      if (library === 'ioredis 5') await client.subscribe('news');
      else await client.subscribe('news', () => {});
      if (isSeen)
        assert.throws(() => redisAdapter(client), { code: 'ERR_FAN_ARG', message: /subscriber/ });
      else await refused(await world.hub(client), /subscriber mode/);
    });
  }

  it('works on a connection that receives messages beside, where the protocol has room for both', async () => {
    await start();
    for (const library of ['ioredis 6', 'redis 6']) {
      const client = world.client(library, redis.port);
      if (library === 'ioredis 6') await client.subscribe('news');
      else await client.subscribe('news', () => {});
      const { hub } = await world.hub(client);
      assert.match(await hub.to('x').send('1').accepted, /^\d+-\d+$/);
    }
  });

  for (const library of Object.keys(LIBRARIES)) {
    describe(library, () => {
      it('a connection that becomes one for messages is told as that', async () => {
        if (library.endsWith('6')) return; // has room for both, see above
        await start();
        const client = world.client(library, redis.port);
        const hub = await world.hub(client);
        await hub.until('ready');
        await (library === 'ioredis 5'
          ? client.subscribe('news')
          : client.subscribe('news', () => {}));
        await refused(hub, /subscriber mode/);
      });

      it('a Redis without Streams', async () => {
        await start({ 'rename-command': ['XADD', ''] });
        await refused(
          await world.hub(world.client(library, redis.port)),
          /Redis 5 or newer is needed/,
        );
      });

      it('a Redis that can’t even read them', async () => {
        await start({ 'rename-command': ['XREAD', ''] });
        const hub = await world.hub(world.client(library, redis.port));
        await hub.error(/Redis 5 or newer is needed/);
      });

      it('no password', async () => {
        await start({ requirepass: 'secret' });
        await refused(
          await world.hub(world.client(library, redis.port)),
          /refuses these credentials/,
        );
      });

      it('a wrong password', async () => {
        await start({ requirepass: 'secret' });
        const hub = await world.hub(
          world.client(library, redis.port, { username: 'default', password: 'wrong' }),
        );
        await refused(hub, /refuses these credentials/);
      });

      it('a user who may not write to these keys', async () => {
        await start();
        await admin().call('ACL', 'SETUSER', 'app', 'on', '>word', '~other*', '+@all');
        const login = { username: 'app', password: 'word' };
        await refused(
          await world.hub(world.client(library, redis.port, login)),
          /refuses these credentials/,
        );
      });

      it('a user who may not run a command that is needed', async () => {
        await start();
        await admin().call('ACL', 'SETUSER', 'app', 'on', '>word', '~*', '+@all', '-xadd');
        const login = { username: 'app', password: 'word' };
        await refused(
          await world.hub(world.client(library, redis.port, login)),
          /refuses these credentials/,
        );
      });

      it('a user who may no more than docs/redis.md says', async () => {
        await start();
        const words = /ACL SETUSER fanline (.*)/.exec(
          require('node:fs').readFileSync(require.resolve('../../docs/redis.md')),
        )[1];
        await admin().call('ACL', 'SETUSER', 'fanline', ...words.split(' '));
        const login = { username: 'fanline', password: 'a-password' };
        const hub = await world.hub(world.client(library, redis.port, login), {
          limits: { clientsPerUser: 5 },
        });
        const stream = await hub.open('/?room=x');
        await hub.until('ready');
        await hub.hub.to('x').send('1').accepted;
        assert.deepEqual(await stream.data(1), ['1']);
        assert.equal((await hub.hub.presence({ room: 'x' })).size, 1);
        const again = await hub.open('/?room=x', { lastEventId: '1-0' });
        assert.equal((await again.next()).event, 'fanline:reset');
        assert.deepEqual(hub.states, [{ state: 'ready' }]);
      });

      for (const [key, type] of Object.entries({
        events: 'stream',
        last: 'last id',
        heads: 'addresses',
        processes: 'processes',
      })) {
        it(`another type of key where the ${type} should be`, async () => {
          await start();
          await admin().lpush(`{fanline}:${key}`, '1');
          const hub = await world.hub(world.client(library, redis.port));
          const sent = hub.hub.to('x').send('1').accepted;
          await hub.error(/choose another `prefix`/);
          if (key !== 'processes') {
            await assert.rejects(sent, { code: 'ERR_FAN_ADAPTER' });
            if (key !== 'events') assert.equal(await admin().xlen('{fanline}:events'), 0);
            return;
          }
          // Without a list of processes only `presence` is missing.
          const stream = await hub.open('/?room=x', { lastEventId: await sent });
          for (const data of ['2', '3']) {
            await hub.hub.to('x').send(data).accepted;
            assert.deepEqual(await stream.data(1), [data]);
          }
          await assert.rejects(hub.hub.presence(), { code: 'ERR_FAN_ADAPTER' });
          assert.equal(hub.states.filter(({ state }) => state === 'down').length, 1);
          assert.equal(hub.state, 'down');
        });
      }

      it('two prefixes on one server know nothing of each other', async () => {
        await start();
        const client = world.client(library, redis.port);
        const [a, b] = [
          await world.hub(client, { redis: { prefix: 'a' } }),
          await world.hub(client, { redis: { prefix: 'b' } }),
        ];
        const [one, two] = [await a.open('/?room=x'), await b.open('/?room=x')];
        await Promise.all([a.hub.to('x').send('a').accepted, b.hub.to('x').send('b').accepted]);
        assert.deepEqual([await one.data(1), await two.data(1)], [['a'], ['b']]);
        assert.equal((await a.hub.presence()).size, 1);
      });
    });
  }

  for (const library of ['ioredis 6', 'ioredis 5']) {
    it(`${library}: a keyPrefix of the client goes before ours`, async () => {
      await start();
      const client = () => world.client(library, redis.port, { keyPrefix: 'app:' });
      const [a, b] = [
        await world.hub(client()),
        await world.hub(client(), { limits: { clientsPerUser: 5 } }),
      ];
      const stream = await b.open('/?room=x');
      await a.hub.to('x').send('1').accepted;
      assert.deepEqual(await stream.data(1), ['1']);
      assert.equal((await a.hub.presence()).size, 1);
      for (const key of await admin().keys('*')) assert.match(key, /^app:\{fanline\}:/);
    });
  }

  for (const library of ['redis 6', 'redis 5']) {
    it(`${library}: a client that was never connected is told, and works once it is`, async () => {
      await start();
      const client = require(library === 'redis 6' ? 'redis' : 'redis5').createClient({
        socket: { port: redis.port },
      });
      client.on('error', () => {});
      world.add({ close: async () => client.isOpen && client.destroy() });
      const hub = await world.hub(client);
      const sent = hub.hub.to('x').send('1');
      const { error } = await hub.until('down');
      assert.equal(error.code, 'ERR_FAN_ADAPTER');
      assert.match(error.message, /connection is not open/);
      await client.connect();
      await Promise.all([hub.until('ready'), sent.accepted]);
    });
  }

  for (const library of Object.keys(LIBRARIES)) {
    it(`${library}: a client that is closed already is told, and its hub closes`, async () => {
      await start();
      const client = world.client(library, redis.port);
      await client.ping();
      await client.quit();
      const hub = await world.hub(client);
      const sent = hub.hub.to('x').send('1');
      const { error } = await hub.until('down');
      assert.match(error.message, /connection is not open/);
      await hub.close();
      await assert.rejects(sent.accepted, { code: 'ERR_FAN_CLOSED' });
    });
  }

  it('a client’s own limits of time do not end what waits', async () => {
    await start();
    const strict = {
      'ioredis 6': {
        commandTimeout: 500,
        socketTimeout: 500,
        blockingTimeout: 300,
        enableOfflineQueue: true,
      },
      'ioredis 5': { commandTimeout: 500, socketTimeout: 500 },
      'redis 6': { commandOptions: { timeout: 500 }, socket: { socketTimeout: 6_000 } },
      'redis 5': { commandOptions: { timeout: 500 }, socket: { socketTimeout: 6_000 } },
    };
    const hubs = [];
    for (const [library, options] of Object.entries(strict))
      hubs.push(await world.hub(world.client(library, redis.port, options)));
    await Promise.all(hubs.map((hub) => hub.until('ready')));
    const ids = await admin().client('LIST');
    await new Promise((go) => setTimeout(go, 2_500));
    const later = await admin().client('LIST');
    const readers = (list) =>
      [...list.matchAll(/^id=(\d+) .*cmd=xread/gm)].map(([, id]) => id).sort();
    assert.equal(readers(ids).length, 4);
    assert.deepEqual(readers(later), readers(ids));
  });
});
