'use strict';

// The limits that count: clients, clients of a user, rooms of a client. Who is refused is told when to come back, leaves
// nothing behind, and costs nobody else anything.

const assert = require('node:assert/strict');
const { once } = require('node:events');
const { createHub } = require('fanline');
const { EventSource } = require('eventsource');
const { open } = require('./support/open');
const { serve } = require('./support/serve');
const { Stage, quiet, refuses, stateOf, when } = require('./support/stage');

const RETRY = { min: 20, max: 60 };
const NEWCOMERS = 12;

const refusedOnly = ({ stats, ...rest }) => ({ ...rest, stats: { ...stats, refused: null } });

/** Runs `attempt` for several newcomers, each of whom must be turned away and leave all as it was. */
async function allRefused(hub, stage, opts, check) {
  await quiet(hub);
  const before = refusedOnly(stateOf(hub));
  const count = hub.stats().refused.capacity ?? 0;
  const fail = () => assert.fail('an event for a client that was refused');
  for (const name of ['connect', 'join', 'leave', 'disconnect', 'drop']) hub.on(name, fail);
  for (let i = 0; i < NEWCOMERS; i++) {
    const { client, stream } = await stage.connect(opts);
    assert.equal(client.closed, 'capacity');
    assert.equal(client.rooms.size, 0);
    assert.equal(client.send('x'), false);
    assert.equal(client.signal.aborted, true);
    client.res.once('error', assert.fail); // old code goes on, and harms nobody
    assert.equal(client.res.write('data: x\n\n'), false);
    assert.equal(await stream.end(), 'end');
    check(stream);
  }
  for (const name of ['connect', 'join', 'leave', 'disconnect', 'drop']) hub.off(name, fail);
  assert.equal(hub.stats().refused.capacity, count + NEWCOMERS);
  assert.deepEqual(refusedOnly(stateOf(hub)), before);
}

/** 200, a `retry` line within the range, the end. */
function sentAway({ min, max }) {
  return (stream) => {
    assert.equal(stream.status, 200);
    assert.equal(stream.headers['content-type'], 'text/event-stream');
    const [, ms] = /^retry: (\d+)\n$/.exec(stream.text) ?? assert.fail(stream.text);
    assert(ms >= min && ms <= max, `${ms} is not from ${min} to ${max}`);
  };
}

/** 503, Retry-After within the range, no body. */
function rejected({ min, max }) {
  return (stream) => {
    assert.equal(stream.status, 503);
    assert.equal(stream.text, '');
    const seconds = Number(stream.headers['retry-after']);
    assert(Number.isInteger(seconds));
    assert(seconds >= Math.ceil(min / 1000) && seconds <= Math.ceil(max / 1000), `${seconds} s`);
  };
}

for (const kind of ['http', 'https']) {
  describe(`limits.clients over ${kind}`, () => {
    async function full(options) {
      const hub = createHub({ retry: RETRY, ...options, limits: { clients: 2 } });
      const stage = await Stage.on(hub, kind);
      const inside = [await stage.connect({ user: 'u', rooms: 'r' }), await stage.connect()];
      return { hub, stage, inside };
    }

    async function goOn({ hub, stage, inside }) {
      hub.broadcast('still here');
      for (const { stream } of inside) assert.equal((await stream.next()).data, 'still here');
      inside[0].stream.close();
      await when(() => hub.size === 1);
      const { client, stream } = await stage.connect({ user: 'u', rooms: 'r' });
      assert.equal(client.closed, null);
      hub.to('r').send('in');
      assert.equal((await stream.next()).data, 'in');
      await stage.close();
    }

    it("atCapacity 'retry': 200, a retry line, the end", async () => {
      const all = await full();
      await allRefused(all.hub, all.stage, { user: 'n', rooms: 'r' }, sentAway(RETRY));
      await goOn(all);
    });

    it("atCapacity 'reject': 503 and Retry-After", async () => {
      const all = await full({ atCapacity: 'reject', retry: { min: 1_500, max: 4_500 } });
      await allRefused(all.hub, all.stage, {}, rejected({ min: 1_500, max: 4_500 }));
      await goOn(all);
    });

    it('a hub without retry lines still says when to come back', async () => {
      const all = await full({ retry: false });
      await allRefused(all.hub, all.stage, {}, sentAway({ min: 2_000, max: 5_000 }));
      await allRefused(all.hub, all.stage, { retry: 7 }, sentAway({ min: 7, max: 7 }));
      await goOn(all);
    });
  });
}

describe('limits.clients', () => {
  it('newcomers are told different times', async () => {
    const hub = createHub({ retry: { min: 1_000, max: 9_000 }, limits: { clients: 1 } });
    const stage = await Stage.on(hub);
    await stage.connect();
    const times = new Set();
    for (let i = 0; i < 20; i++) times.add((await stage.connect()).stream.text);
    assert(times.size >= 15, `${times.size} of 20 differ`);
    await stage.close();
  });

  it('EventSource comes back by itself, and is let in when there is room', async () => {
    const hub = createHub({ retry: { min: 10, max: 20 }, limits: { clients: 1 } });
    const stage = await Stage.on(hub);
    const { stream } = await stage.connect();
    let attempts = 0;
    const server = await serve((req, res) => {
      attempts++;
      const client = hub.connect(req, res);
      if (client.closed === null) client.send('welcome');
    });
    const source = new EventSource(server.url);
    await when(() => attempts >= 3, 'it comes back');
    assert.equal(hub.size, 1);
    stream.close();
    const [{ data }] = await once(source, 'message');
    assert.equal(data, 'welcome');
    assert.equal(hub.stats().refused.capacity, attempts - 1);
    source.close();
    await server.close();
    await stage.close();
  });

  it('EventSource gives up at a 503', async () => {
    const hub = createHub({ atCapacity: 'reject', retry: 10, limits: { clients: 1 } });
    const stage = await Stage.on(hub);
    await stage.connect();
    let attempts = 0;
    const server = await serve((req, res) => {
      attempts++;
      hub.connect(req, res);
    });
    const source = new EventSource(server.url);
    const [error] = await once(source, 'error');
    assert.equal(error.code, 503);
    assert.equal(source.readyState, EventSource.CLOSED);
    await new Promise((resolve) => setTimeout(resolve, 100)); // nothing comes: that can only be waited for
    assert.equal(attempts, 1);
    await server.close();
    await stage.close();
  });

  it('counts clients that are closing, until they are gone', async () => {
    const hub = createHub({ retry: RETRY, limits: { clients: 1 } });
    const stage = await Stage.on(hub);
    const { client, socket } = await stage.deaf({ rooms: 'r' }, { block: true });
    client.close();
    assert.equal(hub.to('r').size, 0);
    const { client: early, stream } = await stage.connect();
    assert.equal(early.closed, 'capacity');
    sentAway(RETRY)(stream);
    socket.destroy();
    await when(() => client.closed !== null);
    assert.equal((await stage.connect()).client.closed, null);
    await stage.close();
  });

  it("does not call handler's `opened` for who is refused", async () => {
    const hub = createHub({ retry: RETRY, limits: { clients: 1 } });
    let opened = 0;
    const server = await serve(hub.handler({}, () => opened++));
    const first = await open(server.url);
    const second = await open(server.url);
    await second.end();
    sentAway(RETRY)(second);
    assert.equal(opened, 1);
    first.close();
    await when(() => hub.size === 0);
    await server.close();
  });
});

describe('limits.clientsPerUser', () => {
  const TENFOLD = { min: RETRY.min * 10, max: RETRY.max * 10 };

  it('the newcomer loses, and stays away ten times as long', async () => {
    const hub = createHub({ retry: RETRY, limits: { clientsPerUser: 2 } });
    const stage = await Stage.on(hub);
    const tabs = [await stage.connect({ user: 'u' }), await stage.connect({ user: 'u' })];
    await stage.connect({ user: 'v', rooms: 'u' });
    await allRefused(hub, stage, { user: 'u', rooms: 'r' }, sentAway(TENFOLD));
    for (const user of ['v', undefined, undefined, undefined, 'U']) {
      assert.equal((await stage.connect({ user })).client.closed, null, `${user} is let in`);
    }
    await allRefused(hub, stage, { user: 'v' }, sentAway(TENFOLD));
    assert.equal(hub.user('u').send('both').matched, 2);
    for (const { stream } of tabs) assert.equal((await stream.next()).data, 'both');
    tabs[0].client.close();
    await when(() => tabs[0].client.closed !== null);
    assert.equal((await stage.connect({ user: 'u' })).client.closed, null);
    await allRefused(hub, stage, { user: 'u' }, sentAway(TENFOLD));
    await stage.close();
    assert.deepEqual([hub.stats().users, hub.size], [0, 0]);
  });

  it("atCapacity 'reject': Retry-After ten times as long", async () => {
    const hub = createHub({
      atCapacity: 'reject',
      retry: { min: 1_500, max: 2_500 },
      limits: { clientsPerUser: 1, clients: 2 },
    });
    const stage = await Stage.on(hub);
    await stage.connect({ user: 'u' });
    await allRefused(hub, stage, { user: 'u' }, rejected({ min: 15_000, max: 25_000 }));
    await stage.connect();
    await allRefused(hub, stage, { user: 'v' }, rejected({ min: 1_500, max: 2_500 }));
    await stage.close();
  });

  it('counts clients that are closing', async () => {
    const hub = createHub({ retry: RETRY, limits: { clientsPerUser: 1 } });
    const stage = await Stage.on(hub);
    const { client, socket } = await stage.deaf({ user: 'u' }, { block: true });
    client.close();
    assert.equal(hub.user('u').size, 0);
    assert.equal((await stage.connect({ user: 'u' })).client.closed, 'capacity');
    assert.equal((await stage.connect({ user: 'v' })).client.closed, null);
    socket.destroy();
    await when(() => client.closed !== null);
    assert.equal((await stage.connect({ user: 'u' })).client.closed, null);
    await stage.close();
  });
});

describe('limits.roomsPerClient', () => {
  const RANGE = [RangeError, 'ERR_FAN_RANGE', 'limits.roomsPerClient (3)'];

  it('bounds connect and every join; a room more than once counts once', async () => {
    const hub = createHub({ limits: { roomsPerClient: 3 } });
    const stage = await Stage.on(hub);
    const { client } = await stage.connect({ rooms: ['a', 'b', 'a'] });
    refuses(() => client.join(['c', 'd']), ...RANGE);
    assert.deepEqual([...client.rooms], ['a', 'b']);
    client.join(['b', 'c', 'c']);
    refuses(() => client.join('d'), ...RANGE);
    client.join(['a', 'b', 'c']);
    client.leave('a').join('d');
    assert.deepEqual([...client.rooms], ['b', 'c', 'd']);
    await assert.rejects(stage.connect({ rooms: ['a', 'b', 'c', 'd'] }), { code: 'ERR_FAN_RANGE' });
    assert.deepEqual(Object.fromEntries(hub.rooms), { b: 1, c: 1, d: 1 });
    await stage.close();
  });

  it('Target.join: one who is full keeps everybody out', async () => {
    const hub = createHub({ limits: { roomsPerClient: 3 } });
    const stage = await Stage.on(hub);
    await stage.connect({ rooms: 'all' });
    const { client: fullOne } = await stage.connect({ rooms: ['all', 'a', 'b'] });
    refuses(() => hub.to('all').join('c'), ...RANGE);
    assert.equal(hub.rooms.has('c'), false);
    hub.to('all').except(fullOne).join('c');
    assert.equal(hub.rooms.get('c'), 1);
    fullOne.close();
    hub.to('all').join(['d']);
    assert.equal(hub.rooms.get('d'), 1);
    await stage.close();
  });
});
