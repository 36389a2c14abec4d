'use strict';

// Connections to more than one server: a Cluster, and a master behind Sentinel.

const assert = require('node:assert/strict');
const { once } = require('node:events');
const { startCluster, startSentinel } = require('./support/topologies');
const { World } = require('./support/wired');

const on = (port) => ({ host: '127.0.0.1', port });

/** How an application connects to a Cluster. */
const CLUSTERS = {
  'ioredis 6': (ports) => new (require('ioredis').Cluster)(ports.map(on)),
  'ioredis 5': (ports) => new (require('ioredis5').Cluster)(ports.map(on)),
  'redis 6': (ports) => nodeCluster(require('redis'), ports),
  'redis 5': (ports) => nodeCluster(require('redis5'), ports),
};

function nodeCluster({ createCluster }, ports) {
  return createCluster({ rootNodes: ports.map((port) => ({ socket: on(port) })) });
}

/** How it connects to whatever is the master. */
const SENTINELS = {
  'ioredis 6': (port, name) => new (require('ioredis'))({ sentinels: [on(port)], name }),
  'ioredis 5': (port, name) => new (require('ioredis5'))({ sentinels: [on(port)], name }),
  'redis 6': (port, name) =>
    require('redis').createSentinel({ name, sentinelRootNodes: [on(port)] }),
};

describe('redis: several servers', function () {
  this.timeout(30_000);
  let world;

  const server = (one) => world.server(one);

  async function connected(client) {
    client.on('error', () => {});
    world.add({ close: async () => (client.disconnect ? client.disconnect() : client.destroy()) });
    if (client.sendCommand && !client.callBuffer) await client.connect();
    else if (client.status !== 'ready') await once(client, 'ready');
    return client;
  }

  beforeEach(() => {
    world = new World();
  });

  afterEach(() => world.end());

  it('a Cluster: by each library, whichever node has the slot', async () => {
    const ports = (await startCluster(server)).map(({ port }) => port);
    for (const prefix of ['fanline', 'b', 'app']) {
      const hubs = [];
      for (const connect of Object.values(CLUSTERS))
        hubs.push(
          await world.hub(await connected(connect(ports)), {
            redis: { prefix },
            limits: { clientsPerUser: 9 },
          }),
        );
      await Promise.all(hubs.map((hub) => hub.until('ready')));
      const streams = [];
      for (const hub of hubs) streams.push(await hub.open('/?room=x'));
      const ids = [];
      for (const [i, { hub }] of hubs.entries()) ids.push(await hub.to('x').send(`${i}`).accepted);
      for (const stream of streams)
        assert.deepEqual(
          (await stream.take(4)).map(({ id }) => id),
          ids,
        );
      assert.equal((await hubs[0].hub.presence({ room: 'x' })).size, 4);
      const back = await hubs[3].open('/?room=x', { lastEventId: ids[1] });
      assert.deepEqual(await back.data(2), ['2', '3']);
      for (const hub of hubs) assert.deepEqual(hub.states, [{ state: 'ready' }]);
    }
  });

  it('a Cluster whose slot moves to another node while hubs send', async () => {
    const nodes = await startCluster(server);
    const ports = nodes.map(({ port }) => port);
    const hubs = [];
    for (const library of ['ioredis 6', 'redis 6'])
      hubs.push(await world.hub(await connected(CLUSTERS[library](ports))));
    await Promise.all(hubs.map((hub) => hub.until('ready')));
    const streams = [];
    for (const hub of hubs) streams.push(await hub.open('/?room=x'));
    let next = 0;
    const sent = [];
    const timer = setInterval(() => {
      for (const { hub } of hubs) sent.push(hub.to('x').send(`${next++}`).accepted);
    }, 5);
    try {
      await streams[0].until(({ events }) => events.length > 20);
      await moveSlot(ports);
      await streams[0].until(() => next > 200);
    } finally {
      clearInterval(timer);
    }
    await Promise.all(sent);
    for (const stream of streams) {
      const numbers = (await stream.data(next)).map(Number);
      assert.deepEqual(
        [...numbers].sort((a, b) => a - b),
        Array.from({ length: next }, (_, i) => i),
      );
      for (const rest of [0, 1]) {
        const of = numbers.filter((n) => n % 2 === rest);
        assert.deepEqual(
          of,
          [...of].sort((a, b) => a - b),
        );
      }
    }
  });

  /** The slot of our keys, with all that is in it, to the node that comes next. */
  async function moveSlot(ports) {
    const clients = ports.map((port) => world.client('ioredis 6', port));
    const slot = await clients[0].call('CLUSTER', 'KEYSLOT', '{fanline}:events');
    const ids = [];
    for (const client of clients) ids.push(await client.call('CLUSTER', 'MYID'));
    const from = (
      await Promise.all(clients.map((client) => client.call('CLUSTER', 'COUNTKEYSINSLOT', slot)))
    ).findIndex(Boolean);
    const to = (from + 1) % ports.length;
    await clients[to].call('CLUSTER', 'SETSLOT', slot, 'IMPORTING', ids[from]);
    await clients[from].call('CLUSTER', 'SETSLOT', slot, 'MIGRATING', ids[to]);
    const keys = await clients[from].call('CLUSTER', 'GETKEYSINSLOT', slot, '100');
    await clients[from].call('MIGRATE', '127.0.0.1', ports[to], '', '0', '5000', 'KEYS', ...keys);
    for (const client of [clients[to], clients[from]])
      await client.call('CLUSTER', 'SETSLOT', slot, 'NODE', ids[to]);
  }

  for (const [library, connect] of Object.entries(SENTINELS)) {
    it(`Sentinel, ${library}: it finds the new master, and nothing that it has is lost`, async () => {
      const { master, replica, sentinel, name } = await startSentinel(server);
      const hub = await world.hub(await connected(connect(sentinel.port, name)));
      await hub.until('ready');
      const stream = await hub.open('/?room=x');
      await hub.hub.to('x').send('1').accepted;
      const io = world.client('ioredis 6', master.port);
      while ((await io.wait(1, 100)) < 1);
      await master.kill();
      await hub.hub.to('x').send('2').accepted;
      assert.deepEqual(await stream.data(2), ['1', '2']);
      assert.equal(
        await world.client('ioredis 6', replica.port).call('XLEN', '{fanline}:events'),
        2,
      );
    });
  }
});
