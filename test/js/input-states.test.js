'use strict';

// Every public operation on a client and a hub in every state: what it answers is documented, a client that is ending takes
// nothing and loses nothing, and the counters agree in the end.

const assert = require('node:assert/strict');
const { createHub, sse } = require('fanline');
const { Stage, refuses, stateOf, when } = require('./support/stage');

const LIMITS = { eventBytes: 64 << 10, queueBytes: 64 << 10, roomsPerClient: 10 };
const CHUNK = 'x'.repeat(40_000);

/** Counts a hub's events, to be compared with what it says of itself. */
function watch(hub) {
  const seen = { connect: 0, disconnect: 0, join: 0, leave: 0, drop: 0, close: 0, reasons: {} };
  for (const name of ['connect', 'disconnect', 'join', 'leave', 'drop']) {
    hub.on(name, () => seen[name]++);
  }
  hub.on('connect', (client) => client.on('close', () => seen.close++));
  hub.on('disconnect', (client, reason) => {
    assert.equal(client.closed, reason);
    seen.reasons[reason] = (seen.reasons[reason] ?? 0) + 1;
  });
  return seen;
}

/** Nobody is left, and everything that began has ended once. */
async function consistent(hub, seen) {
  const { connect, disconnect, join, leave, close, reasons } = seen;
  assert.deepEqual([disconnect, close, leave], [connect, connect, join]);
  assert.deepEqual([hub.size, hub.clients.size, hub.rooms.size], [0, 0, 0]);
  await when(() => hub.stats().bufferedBytes === 0, 'all memory given back');
  const stats = hub.stats();
  assert.deepEqual([stats.clients, stats.rooms, stats.users, stats.inboxBytes], [0, 0, 0, 0]);
  for (const [reason, count] of Object.entries(stats.disconnects)) {
    assert.equal(count, reasons[reason] ?? 0, reason);
  }
}

/** The client takes everything. */
async function isLive(hub, client) {
  assert.equal(client.closed, null);
  assert.equal(client.signal.aborted, false);
  assert.equal(client.send('x'), true);
  assert.equal(client.comment('x'), undefined);
  assert.equal(client.comment(), undefined);
  assert.equal(client.retry(5), undefined);
  assert.equal(client.join(['n', 'm']), client);
  assert.equal(client.join('n'), client);
  assert.equal(client.leave(['m', 'never']), client);
  assert.deepEqual([...client.rooms], ['r', 'n']);
  assert.equal(hub.rooms.get('n'), 1);
  assert.equal(hub.rooms.has('m'), false);
  assert.equal(await client.drain(), true);
  const targets = [hub.to('n'), hub.client(client.id), hub.user(client.user), hub.except('other')];
  for (const target of targets) {
    assert.equal(target.size, 1);
    assert.deepEqual(target.clients(), [client]);
    assert.equal(target.send('x').matched, 1);
    assert.equal(target.join('via'), undefined);
    assert(client.rooms.has('via'));
    assert.equal(target.leave('via'), undefined);
    assert(!client.rooms.has('via'));
  }
  assert.equal(hub.broadcast('x').matched, 1);
}

/** The client takes nothing, nobody reaches it, and nothing changes by trying. */
async function isDeaf(hub, client, isHubClosed) {
  const state = stateOf(hub, { clients: [client], busy: true });
  const rooms = [...client.rooms];
  assert.equal(client.send('x'), false);
  assert.equal(client.send('x', { event: 'e', key: 'k', retry: 5, history: false }), false);
  assert.equal(client.comment('x'), undefined);
  assert.equal(client.retry(5), undefined);
  assert.equal(client.join('n'), client);
  assert.equal(client.leave(rooms), client);
  assert.equal(client.close(), undefined);
  assert.equal(client.close({ event: 'e', data: 1, reconnect: false }), undefined);
  assert.deepEqual([...client.rooms], rooms);
  refuses(() => client.send('x', { evnt: 'e' }), TypeError, 'ERR_FAN_ARG', '"opts.evnt"');
  refuses(() => client.send('x', { id: 1 }), TypeError, 'ERR_FAN_ARG', '"opts.id"');
  refuses(() => client.join(5), TypeError, 'ERR_FAN_ARG', '"rooms"');
  refuses(() => client.retry(-1), RangeError, 'ERR_FAN_RANGE', '"ms"');
  refuses(() => client.close({ reconnect: 1 }), TypeError, 'ERR_FAN_ARG', '"opts.reconnect"');
  const targets = [hub.to('r'), hub.client(client.id), hub.user('u'), hub.except('other')];
  for (const target of targets) {
    assert.equal(target.size, 0);
    assert.deepEqual(target.clients(), []);
    target.join('n');
    target.leave('r');
    target.disconnect({ reconnect: false });
  }
  assert.deepEqual(stateOf(hub, { clients: [client], busy: true }), state);
  for (const target of targets) {
    if (isHubClosed) refuses(() => target.send('x'), Error, 'ERR_FAN_CLOSED', 'hub');
    else assert.equal(target.send('x').matched, 0);
  }
  assert.equal(await client.drain(), false);
}

/** A `close` listener added after the end is called once, later, by whichever method. */
async function tellsLate(client) {
  const calls = [];
  for (const method of ['on', 'once', 'addListener', 'prependListener', 'prependOnceListener']) {
    const answer = client[method]('close', function (...args) {
      assert.equal(this, client);
      calls.push([method, ...args]);
    });
    assert.equal(answer, client);
  }
  assert.equal(calls.length, 0);
  await Promise.resolve();
  await Promise.resolve();
  assert.equal(calls.length, 5);
  for (const call of calls) assert.deepEqual(call.slice(1), [client.closed]);
  assert.equal(client.signal.aborted, true);
  assert.equal(client.bufferedBytes, 0);
}

const OPTS = { user: 'u', rooms: 'r' };
const closed = (client) => when(() => client.closed !== null, 'closed');

// state → [makes a client in it, what `closed` says, whether the hub is closed then]
const STATES = {
  open: [async (stage) => (await stage.connect(OPTS)).client, null],
  'open, on relay': [
    async (stage) => (await stage.connect({ ...OPTS, transport: 'relay' })).client,
    null,
  ],
  opening: [
    async (stage) => {
      const { client } = await stage.deaf(OPTS, { block: true });
      assert.equal(client.transport, 'opening');
      return client;
    },
    null,
  ],
  'on relay, behind a header that does not get through': [
    async (stage) => {
      const { client } = await stage.deaf({ ...OPTS, transport: 'relay' }, { block: true });
      assert.equal(client.transport, 'relay');
      return client;
    },
    null,
  ],
  'in a hub that is shutting down': [
    async (stage) => {
      const { client: earlier, stream } = await stage.connect();
      const { client } = await stage.connect(OPTS);
      stage.hub.close({ grace: 60_000 });
      stream.close();
      await closed(earlier);
      return client;
    },
    null,
  ],
  'closing while opening': [
    async (stage) => {
      const { client } = await stage.deaf(OPTS, { block: true });
      client.close();
      return client;
    },
    'closing',
  ],
  'closing, its queue not empty': [
    async (stage) => {
      const { client } = await stage.deaf({ ...OPTS, transport: 'relay' }, { block: true });
      client.send('x');
      client.close({ data: 'last' });
      return client;
    },
    'closing',
  ],
  'closing, in a hub that is shutting down': [
    async (stage) => {
      const { client } = await stage.deaf(OPTS, { block: true });
      stage.hub.close({ grace: 60_000 });
      await when(() => client.send('x') === false, 'its turn');
      return client;
    },
    'closing',
  ],
  'closed by its peer': [
    async (stage) => {
      const { client, stream } = await stage.connect(OPTS);
      stream.close();
      await closed(client);
      return client;
    },
    'client',
  ],
  'closed by its peer while opening': [
    async (stage) => {
      const { client, socket } = await stage.deaf(OPTS, { block: true });
      socket.destroy();
      await closed(client);
      return client;
    },
    'client',
  ],
  'closed in order': [
    async (stage) => {
      const { client, stream } = await stage.connect(OPTS);
      client.close();
      assert.equal(await stream.end(), 'end');
      await closed(client);
      return client;
    },
    'server',
  ],
  evicted: [
    async (stage) => {
      const { client } = await stage.deaf(OPTS, { block: true });
      for (let i = 0; i < 4; i++) client.send(CHUNK);
      await closed(client);
      return client;
    },
    'slow',
  ],
  'in a closed hub': [
    async (stage) => {
      const { client } = await stage.connect(OPTS);
      await stage.hub.close({ grace: 500 });
      return client;
    },
    'shutdown',
    true,
  ],
  'cut by hub.close({ grace: 0 })': [
    async (stage) => {
      const { client } = await stage.deaf(OPTS, { block: true });
      assert.deepEqual(await stage.hub.close({ grace: 0 }), { ended: 0, cut: 1 });
      return client;
    },
    'shutdown',
    true,
  ],
};

describe('operations × states', () => {
  for (const [name, [make, expected, isHubClosed]] of Object.entries(STATES)) {
    it(`a client ${name}`, async () => {
      const hub = createHub({ heartbeat: false, limits: LIMITS });
      const seen = watch(hub);
      const stage = await Stage.on(hub);
      const client = await make(stage);
      if (expected === null) {
        await isLive(hub, client);
        client.close();
        await isDeaf(hub, client);
      } else {
        assert.equal(client.closed, expected === 'closing' ? null : expected);
        await isDeaf(hub, client, isHubClosed);
        await isDeaf(hub, client, isHubClosed);
      }
      await stage.close();
      await tellsLate(client);
      await hub.close();
      await isDeaf(hub, client, true);
      await consistent(hub, seen);
    });
  }

  it('a client that was refused', async () => {
    const hub = createHub({ heartbeat: false, limits: { ...LIMITS, clients: 1 } });
    const seen = watch(hub);
    const stage = await Stage.on(hub);
    const { stream } = await stage.connect();
    const { client } = await stage.connect(OPTS);
    assert.equal(client.closed, 'capacity');
    stream.close();
    await when(() => hub.size === 0);
    await isDeaf(hub, client);
    await tellsLate(client);
    assert.deepEqual([...client.rooms], []);
    await stage.close();
    await hub.close();
    assert.equal(seen.connect, 1);
    await consistent(hub, seen);
  });

  it('a client of sse()', async () => {
    const stage = await Stage.on({ connect: sse });
    const { client, stream } = await stage.connect();
    assert.equal(client.send('x'), true);
    assert.equal((await stream.next()).data, 'x');
    client.close();
    assert.equal(client.send('x'), false);
    assert.equal(await stream.end(), 'end');
    await when(() => client.closed === 'server');
    refuses(() => client.join('a'), TypeError, 'ERR_FAN_ARG', '"rooms"');
    assert.equal(client.leave('a'), client);
    assert.equal(await client.drain(), false);
    await tellsLate(client);
    await stage.close();
  });
});

describe('a closed hub', () => {
  it('refuses every send, does nothing else, and sends newcomers away', async () => {
    const hub = createHub();
    const stage = await Stage.on(hub);
    const done = hub.close();
    assert.equal(hub.close({ grace: 5 }), done);
    assert.deepEqual(await done, { ended: 0, cut: 0 });
    const targets = [hub.to('r'), hub.user('u'), hub.client('c'), hub.except('x'), hub.to([])];
    for (const target of targets) {
      refuses(() => target.send('x'), Error, 'ERR_FAN_CLOSED', 'hub');
      refuses(() => target.send('x', { event: '' }), TypeError, 'ERR_FAN_ARG', '"opts.event"');
      assert.equal(target.size, 0);
      target.join('a');
      target.leave('a');
      target.disconnect();
    }
    refuses(() => hub.broadcast('x'), Error, 'ERR_FAN_CLOSED', 'hub');
    hub.on('connect', () => assert.fail('a newcomer got in'));
    const { client, stream } = await stage.connect({ user: 'u', rooms: 'r' });
    assert.equal(client.closed, 'shutdown');
    assert.equal(stream.status, 200);
    assert.equal(await stream.end(), 'end');
    assert.match(stream.text, /^retry: \d+\n$/);
    assert.equal(stream.headers.connection, 'close');
    const stats = hub.stats();
    assert.deepEqual([stats.clients, stats.events, stats.refused.shutdown], [0, 0, 1]);
    refuses(() => hub.close({ grace: -1 }), RangeError, 'ERR_FAN_RANGE', '"opts.grace"');
    await stage.close();
  });
});
