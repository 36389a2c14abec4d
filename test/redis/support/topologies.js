'use strict';

// A Cluster of three masters, and a master with a replica behind Sentinel, of Debian's redis-server.

const { setTimeout: delay } = require('node:timers/promises');
const Redis = require('ioredis');
const { freePort, startRedis } = require('./server');

const SLOTS = 16_384;

/** @param {number} port @param {(client: object) => Promise<any>} ask */
async function on(port, ask) {
  const client = new Redis(port, '127.0.0.1');
  try {
    return await ask(client);
  } finally {
    client.disconnect();
  }
}

/**
 * @param {(server: object) => object} add takes each server, to be stopped some day
 * @returns {Promise<object[]>} the masters of a Cluster that answers
 */
async function startCluster(add, size = 3) {
  const nodes = [];
  for (let i = 0; i < size; i++) {
    const conf = {
      'cluster-enabled': 'yes',
      'cluster-node-timeout': 2_000,
      'cluster-port': await freePort(),
    };
    nodes.push(Object.assign(add(await startRedis(conf)), { bus: conf['cluster-port'] }));
  }
  const [first] = nodes;
  for (const [i, { port }] of nodes.entries()) {
    const from = Math.ceil((SLOTS * i) / size);
    const to = Math.ceil((SLOTS * (i + 1)) / size) - 1;
    await on(port, async (client) => {
      await client.call('CLUSTER', 'SET-CONFIG-EPOCH', String(i + 1));
      await client.call('CLUSTER', 'ADDSLOTSRANGE', String(from), String(to));
      if (i > 0)
        await client.call('CLUSTER', 'MEET', '127.0.0.1', String(first.port), String(first.bus));
    });
  }
  for (const { port } of nodes) {
    const isWhole = async (client) => {
      const info = await client.call('CLUSTER', 'INFO');
      return info.includes('cluster_state:ok') && info.includes(`cluster_known_nodes:${size}`);
    };
    while (!(await on(port, isWhole))) await delay(50);
  }
  return nodes;
}

/**
 * @param {(server: object) => object} add
 * @returns {Promise<{master: object, replica: object, sentinel: object, name: string}>} the Sentinel knows both
 */
async function startSentinel(add) {
  const conf = { 'repl-diskless-sync-delay': 0 };
  const master = add(await startRedis(conf));
  const replica = add(await startRedis({ ...conf, replicaof: ['127.0.0.1', master.port] }));
  const sentinel = add(await startRedis({ sentinel: true }));
  const name = 'ours';
  await on(sentinel.port, async (client) => {
    await client.call('SENTINEL', 'MONITOR', name, '127.0.0.1', String(master.port), '1');
    await client.call('SENTINEL', 'SET', name, 'down-after-milliseconds', '500');
    await client.call('SENTINEL', 'SET', name, 'failover-timeout', '3000');
    while (!(await client.call('SENTINEL', 'REPLICAS', name)).length) await delay(50);
  });
  return { master, replica, sentinel, name };
}

module.exports = { startCluster, startSentinel };
