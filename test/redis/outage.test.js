'use strict';

// The table of outages in docs/redis.md, row by row: hub `a` is on ioredis 6, hub `b` on redis 6; two more on the versions before.

const assert = require('node:assert/strict');
const { CuttingProxy } = require('../js/support/cutting-proxy');
const { freePort, startRedis } = require('./support/server');
const { World, beats } = require('./support/wired');

const KEPT = { appendonly: 'yes', appendfsync: 'always' };
const SILENT = 8_000; // ms until a server that says nothing is told: 7 s, and a moment

describe('redis: an outage', () => {
  let world;
  let redis;
  let a;
  let b;
  let here; // a client of a, and one of b, in the same room
  let there;
  let older; // streams in that room, of hubs on ioredis 5 and redis 5

  const statesOf = (wired) => wired.states.map(({ state }) => state);
  const on = (port) => [world.client('ioredis 6', port), world.client('redis 6', port)];

  /** Both hubs, on that port. */
  async function wire(port, options) {
    const [io, node] = on(port);
    [a, b] = [await world.hub(io, options), await world.hub(node, options)];
    [here, there] = [await a.open('/?room=x'), await b.open('/?room=x')];
    for (const library of ['ioredis 5', 'redis 5']) {
      const hub = await world.hub(world.client(library, port), options);
      older.push(await hub.open('/?room=x'));
    }
  }

  const streams = () => [here, there, ...older];

  async function start(conf, options) {
    redis = world.server(await startRedis(conf));
    await wire(redis.port, options);
    await Promise.all([a.until('ready'), b.until('ready')]);
  }

  /** Two servers, and a way to them that leads to the one that is the master. */
  async function pair() {
    const conf = { 'repl-diskless-sync-delay': 0, 'repl-ping-replica-period': 1 };
    const master = world.server(await startRedis(conf));
    const of = { ...conf, replicaof: `127.0.0.1 ${master.port}` };
    const replica = world.server(await startRedis(of));
    let backend = master;
    const proxy = world.add(new CuttingProxy(() => backend.port));
    await proxy.listen();
    await wire(proxy.port);
    await Promise.all([a.until('ready'), b.until('ready')]);
    async function failOver() {
      await master.kill();
      await world.client('ioredis 6', replica.port).replicaof('NO', 'ONE');
      backend = replica;
      proxy.cutAll();
    }
    return { master, replica, failOver };
  }

  const admin = () => world.client('ioredis 6', redis.port);

  /** Sends of both hubs in turn. */
  const send = (from, to, size = 0) => {
    const sent = [];
    for (let i = from; i <= to; i++)
      sent.push((i % 2 ? a : b).hub.to('x').send(`${i}${'.'.repeat(size)}`));
    return Promise.all(sent.map(({ accepted }) => accepted));
  };

  /** What all clients get next: the same, each in the order of its sender, each once. */
  async function allGet(from, to) {
    const [one, ...others] = await Promise.all(streams().map((at) => at.data(to - from + 1)));
    for (const other of others) assert.deepEqual(other, one);
    const numbers = one.map(Number);
    for (const rest of [0, 1]) {
      const of = numbers.filter((n) => n % 2 === rest);
      assert.deepEqual(
        of,
        [...of].sort((x, y) => x - y),
      );
    }
    assert.deepEqual(
      new Set(numbers),
      new Set(Array.from({ length: to - from + 1 }, (_, i) => i + from)),
    );
  }

  /** All clients are told that something is missing, and nothing else before that. */
  async function allReset() {
    for (const at of streams()) assert.equal((await at.next()).event, 'fanline:reset');
  }

  const isDown = ({ state, error }) => {
    assert.equal(state, 'down');
    assert.equal(error.code, 'ERR_FAN_ADAPTER');
  };

  beforeEach(() => {
    older = [];
    world = new World();
  });

  afterEach(() => world.end());

  it('unreachable at start: clients connect and get heartbeats, and all that was sent arrives when it is up', async () => {
    const port = await freePort();
    await wire(port);
    const sent = send(1, 100);
    for (const hub of [a, b]) isDown(await hub.until('down'));
    await Promise.all([beats(here), beats(there)]);
    redis = world.server(await startRedis({ port }));
    await Promise.all([a.until('ready'), b.until('ready')]);
    assert.equal(new Set(await sent).size, 100);
    await allGet(1, 100);
    assert.deepEqual(statesOf(a), ['down', 'ready']);
    assert.deepEqual(statesOf(b), ['down', 'ready']);
  });

  it('killed and restarted, with all on disk: nothing accepted is lost, nothing comes twice', async () => {
    await start(KEPT);
    let count = 0;
    const sent = [];
    for (let round = 0; round < 3; round++) {
      const until = Date.now() + 300;
      while (Date.now() < until) {
        sent.push(send(count + 1, count + 20));
        count += 20;
        if (Date.now() > until - 150) await redis.kill();
        await new Promise((go) => setTimeout(go, 5));
      }
      await redis.restart();
      await Promise.all([a.until('ready'), b.until('ready')]);
    }
    const ids = (await Promise.all(sent)).flat();
    assert.equal(new Set(ids).size, count);
    await allGet(1, count);
    const expected = ['ready', ...Array(3).fill(['down', 'ready']).flat()];
    assert.deepEqual(statesOf(a), expected);
    assert.deepEqual(statesOf(b), expected);
  });

  it('killed and restarted with nothing on disk: clients are told so, and nothing comes twice', async () => {
    await start();
    await send(1, 20);
    await allGet(1, 20);
    const sent = send(21, 40);
    await redis.restart();
    await Promise.all([a.until('ready'), b.until('ready')]);
    await sent;
    await send(41, 50);
    for (const at of streams()) {
      const events = await at.take(1);
      while (events.at(-1).data !== '50' && events.at(-1).data !== '49')
        events.push(await at.next());
      const isReset = ({ event }) => event === 'fanline:reset';
      assert(events.some(isReset));
      const data = events.filter((event) => !isReset(event)).map(({ data }) => data);
      assert.equal(new Set(data).size, data.length);
    }
  });

  it('failing over: what the new one has goes on', async () => {
    const { master, failOver } = await pair();
    const io = world.client('ioredis 6', master.port);
    await send(1, 20);
    while ((await io.wait(1, 100)) < 1);
    await allGet(1, 20);
    await failOver();
    await Promise.all([a.until('down'), b.until('down')]);
    await Promise.all([a.until('ready'), b.until('ready')]);
    await send(21, 40);
    await allGet(21, 40);
  });

  it('failing over to one that lacks the last events: clients are told so, and ids do not go back', async () => {
    const { master, replica, failOver } = await pair();
    const io = world.client('ioredis 6', master.port);
    await send(1, 20);
    while ((await io.wait(1, 100)) < 1);
    await replica.kill('SIGSTOP');
    await io.call('CLIENT', 'KILL', 'TYPE', 'replica');
    const last = (await send(21, 22)).at(-1);
    await allGet(1, 22);
    await master.kill();
    await replica.kill('SIGCONT');
    await failOver();
    await allReset();
    const [first] = await send(23, 24);
    assert(first.localeCompare(last, 'en', { numeric: true }) > 0);
    await allGet(23, 24);
  });

  it('paused: told within 7 s, and everything goes on when it does', async () => {
    await start();
    const since = Date.now();
    await redis.kill('SIGSTOP');
    const sent = send(1, 20);
    isDown(await a.until('down'));
    isDown(await b.until('down'));
    assert(Date.now() - since < SILENT);
    await Promise.all([beats(here), beats(there)]);
    await redis.kill('SIGCONT');
    await Promise.all([a.until('ready'), b.until('ready')]);
    await sent;
    await allGet(1, 20);
    assert.deepEqual(statesOf(a), ['ready', 'down', 'ready']);
    assert.deepEqual(statesOf(b), ['ready', 'down', 'ready']);
  });

  it('slow for a moment: nobody notices', async () => {
    await start();
    await admin().call('CLIENT', 'PAUSE', '1000', 'ALL');
    await send(1, 20);
    await allGet(1, 20);
    assert.deepEqual(statesOf(a), ['ready']);
    assert.deepEqual(statesOf(b), ['ready']);
  });

  it('out of memory: sends wait, and are accepted when there is some', async () => {
    await start();
    const io = admin();
    await send(1, 10);
    await allGet(1, 10);
    await io.config('SET', 'maxmemory', '1');
    const sent = send(11, 30);
    for (const hub of [a, b]) {
      const told = await hub.until('down');
      isDown(told);
      assert.match(told.error.message, /OOM/);
    }
    await Promise.all([beats(here), beats(there)]);
    await io.config('SET', 'maxmemory', '0');
    await Promise.all([sent, a.until('ready'), b.until('ready')]);
    await allGet(11, 30);
  });

  it('`maxPendingBytes` wait: what is sent then is refused, and what waited arrives', async () => {
    await start(KEPT, { redis: { maxPendingBytes: 10_000 } });
    await redis.kill();
    await Promise.all([a.until('down'), b.until('down')]);
    const waits = send(1, 4, 3_000);
    await assert.rejects(a.hub.to('x').send('.'.repeat(9_000)).accepted, {
      code: 'ERR_FAN_ADAPTER',
    });
    for (let i = 0; i < 10; i++) b.hub.to('x').send('.'.repeat(9_000)); // nobody looks
    await beats(here);
    await redis.restart();
    await waits;
    await send(5, 6);
    const got = (await here.data(6)).map((data) => Number.parseInt(data, 10));
    assert.deepEqual(
      got.sort((x, y) => x - y),
      [1, 2, 3, 4, 5, 6],
    );
  });

  for (const [what, trim] of [
    [
      'trimmed beyond what a process has read',
      (io) => io.call('XTRIM', '{fanline}:events', 'MAXLEN', '0'),
    ],
    ['emptied while a process could not read', (io) => io.flushall()],
  ]) {
    it(`${what}: its clients are told so, and go on`, async () => {
      redis = world.server(await startRedis());
      let isThere = true;
      const nowhere = await freePort();
      const proxy = world.add(new CuttingProxy(() => (isThere ? redis.port : nowhere)));
      await proxy.listen();
      a = await world.hub(world.client('ioredis 6', proxy.port));
      b = await world.hub(world.client('redis 6', redis.port));
      const other = await world.hub(world.client('redis 6', proxy.port));
      [here, there] = [await a.open('/?room=x'), await b.open('/?room=x')];
      const third = await other.open('/?room=x');
      await Promise.all([a, b, other].map((hub) => hub.until('ready')));
      isThere = false;
      proxy.cutAll();
      await Promise.all([a.until('down'), other.until('down')]);
      for (let i = 0; i < 5; i++) await b.hub.to('x').send('.').accepted;
      await there.data(5);
      await trim(admin());
      isThere = true;
      for (const at of [here, third]) assert.equal((await at.next()).event, 'fanline:reset');
      await b.hub.to('x').send('on').accepted;
      for (const at of [here, third]) assert.equal((await at.next()).data, 'on');
    });
  }

  it('FLUSHALL: clients are told so within moments, whether or not anybody sends', async () => {
    await start();
    const io = admin();
    await send(1, 10);
    await allGet(1, 10);
    await io.flushall();
    await send(11, 12);
    await allReset();
    await allGet(11, 12);
    await io.flushall();
    await here.until(({ events }) => events.some(({ event }) => event === 'fanline:reset'));
    assert.deepEqual(statesOf(a), ['ready']);
    assert.deepEqual(statesOf(b), ['ready']);
  });

  it('one process sees first that something is gone: the others learn of it, too', async () => {
    redis = world.server(await startRedis());
    const [io, node] = on(redis.port);
    a = await world.hub(io);
    await a.until('ready');
    await new Promise((go) => setTimeout(go, 1_000)); // each looks every 2 s
    b = await world.hub(node);
    await b.until('ready');
    [here, there] = [await a.open('/?room=x'), await b.open('/?room=x')];
    await admin().set('{fanline}:last', '5-0');
    await allReset();
    await send(1, 2);
    await allGet(1, 2);
  });

  it('single keys deleted: of the stream, of what is known of it, and of processes', async () => {
    await start();
    const io = admin();
    await send(1, 10);
    await allGet(1, 10);
    let next = 11;
    for (const name of ['events', 'last', 'heads', 'processes']) {
      await io.del(`{fanline}:${name}`);
      await send(next, next + 9);
      await allGet(next, next + 9);
      next += 10;
    }
    for (const key of await io.keys('{fanline}:batch:*')) await io.del(key);
    await send(next, next + 9);
    await allGet(next, next + 9);
    const seen = await a.open('/?room=x', { lastEventId: here.lastEventId });
    await send(1, 1);
    assert.deepEqual(await seen.data(1), ['1']); // nothing of what was before
  });

  it('the application closes its connection: told within 5 s, others’ events come, and it can open it again', async () => {
    redis = world.server(await startRedis());
    const [io, node] = on(redis.port);
    [a, b] = [await world.hub(io), await world.hub(node)];
    const other = await world.hub(world.client('ioredis 5', redis.port));
    [here, there] = [await a.open('/?room=x'), await b.open('/?room=x')];
    await Promise.all([a, b, other].map((hub) => hub.until('ready')));
    await Promise.all([io.quit(), node.close()]);
    for (const hub of [a, b]) {
      const told = await hub.until('down');
      isDown(told);
      assert.match(told.error.message, /connection is not open/);
    }
    await other.hub.to('x').send('0').accepted;
    for (const at of [here, there]) assert.deepEqual(await at.data(1), ['0']);
    const sent = send(1, 4);
    await Promise.all([io.connect(), node.connect()]);
    await Promise.all([sent, a.until('ready'), b.until('ready')]);
    await allGet(1, 4);
  });

  it('a hub closes within 4 s, whatever its server does', async () => {
    await start();
    await redis.kill('SIGSTOP');
    a.hub.to('x').send('never');
    const since = Date.now();
    await Promise.all([a.close(), b.close()]);
    assert(Date.now() - since < 4_000, `${Date.now() - since} ms`);
    await redis.kill('SIGCONT');
  });

  it('connections are killed: each hub makes them anew, and nothing is missing', async () => {
    await start();
    const io = admin();
    for (let round = 0; round < 3; round++) {
      const sent = send(round * 50 + 1, round * 50 + 50);
      await io.call('CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes');
      await sent;
      await allGet(round * 50 + 1, round * 50 + 50);
    }
    await Promise.all([a.until('ready'), b.until('ready')]);
    for (const hub of [a, b])
      for (const [i, state] of statesOf(hub).entries())
        assert.equal(state, i % 2 ? 'down' : 'ready');
  });
});
