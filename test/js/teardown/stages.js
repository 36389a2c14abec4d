'use strict';

// A server with a hub that is brought to a stage, and then ended in some way: what the processes and workers of
// teardown-process.test.js run.

const http = require('node:http');
const { createHub } = require('fanline');

const PEERS = 4;
const BLOCK = 'x'.repeat(64 * 1024);

/** `ownHubs`: each client has its own, which nothing else holds. `lifetime*.test.js` has more stages. */
const STAGES = {
  'with idle clients': {},
  'with full queues': {
    enter({ clients }) {
      for (const client of clients) for (let i = 0; i < 64; i++) client.send(BLOCK);
    },
    settle: 20,
  },
  'with full queues on relay': {
    options: { transport: 'relay' },
    enter({ clients }) {
      for (const client of clients) for (let i = 0; i < 64; i++) client.send(BLOCK);
    },
    settle: 20,
  },
  'while clients are being detached': { options: { transport: 'detached' } },
  'with detached clients, full queues, some that drain': {
    options: { transport: 'detached' },
    enter({ clients }) {
      setTimeout(() => {
        for (const [i, client] of clients.entries()) {
          for (let n = 0; n < 64; n++) client.send(BLOCK);
          if (i % 2) client.close();
        }
      }, 20);
    },
    settle: 40,
  },
  'with clients that drain': {
    enter({ clients }) {
      for (const client of clients) {
        for (let i = 0; i < 64; i++) client.send(BLOCK);
        client.close();
      }
    },
    settle: 20,
  },
  'with a hub that is closing': { enter: ({ hub }) => void hub.close({ grace: 60_000 }) },
  'with notices on their way': {
    enter({ clients }) {
      for (const client of clients) client.close();
    },
  },
  'in the middle of a flood': {
    enter(world) {
      world.flood = setInterval(() => {
        for (let i = 0; i < 200; i++) world.hub.to(i % 2 ? 'all' : 'none').send('flood');
      }, 1);
    },
    settle: 30,
  },
  'with a collected hub': {
    ownHubs: true,
    enter({ clients }) {
      for (const client of clients.splice(0)) client.close();
    },
    settle: 50,
    last: () => globalThis.gc(),
  },
  'with a hub to be collected': {
    ownHubs: true,
    enter({ clients }) {
      for (const client of clients.splice(0)) client._hub.broadcast(BLOCK);
    },
    last: () => globalThis.gc(),
  },
};

/**
 * @param {string} name of STAGES
 * @param {(port: number) => void} listening
 * @param {(world: object) => void} act ends this thread or process
 */
function run(name, listening, act) {
  const { options = {}, enter, settle, last, ownHubs } = STAGES[name];
  const hubOptions = { heartbeat: 5, limits: { queueBytes: 64 << 20 } };
  const world = { hub: createHub(hubOptions), clients: [], server: null };
  const end = () => {
    last?.();
    act(world);
  };
  const reached = () => {
    enter?.(world);
    if (settle) setTimeout(end, settle);
    else end();
  };
  world.server = http.createServer((req, res) => {
    const hub = ownHubs ? createHub(hubOptions) : world.hub;
    const client = hub.connect(req, res, { rooms: 'all', ...options });
    world.clients.push(client);
    if (world.clients.length === PEERS) reached();
  });
  world.server.listen(0, '127.0.0.1', () => {
    listening(world.server.address().port);
  });
}

module.exports = { PEERS, STAGES, run };
