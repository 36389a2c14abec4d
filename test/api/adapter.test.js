'use strict';

// A hub on an adapter, as far as that needs no server: two hubs and more on the engine in memory (test/adapters has the suite
// that every adapter must pass).

const assert = require('node:assert/strict');
const http = require('node:http');
const { once } = require('node:events');
const { createHub } = require('fanline');
const { open } = require('fanline/testing');
const { MemoryEngine } = require('../../lib/distribution/memory');

describe('hubs on one engine', () => {
  let engine;
  const made = [];

  async function start(options) {
    const hub = createHub({ adapter: engine.adapter(), ...options });
    const rooms = (req) => new URL(req.url, 'http://x').searchParams.getAll('room');
    const server = http.createServer(hub.handler((req) => ({ rooms: rooms(req), user: 'ada' })));
    server.listen(0, '127.0.0.1');
    await Promise.all([once(server, 'listening'), once(hub, 'adapter')]);
    made.push({ hub, server });
    return { hub, server, listen: (path, opts) => open(server, path, opts) };
  }

  beforeEach(() => {
    engine = new MemoryEngine();
  });

  afterEach(async () => {
    for (const { hub, server } of made.splice(0)) {
      await hub.close({ grace: 0 });
      server.closeAllConnections();
      server.close();
    }
  });

  it('give each other’s events to their clients, in one order and under one id', async () => {
    const [a, b] = [await start(), await start()];
    const [here, there] = [await a.listen('/?room=x'), await b.listen('/?room=x')];
    const sent = [1, 2, 3, 4].map((n) => (n % 2 ? a : b).hub.to('x').send(`${n}`));
    const ids = await Promise.all(sent.map(({ accepted }) => accepted));
    const seen = [];
    for (let i = 0; i < 4; i++) {
      const event = await here.next();
      assert.deepEqual(await there.next(), event);
      seen.push(event);
    }
    assert.deepEqual(seen.map(({ id }) => id).sort(), [...ids].sort());
    assert.deepEqual(
      [...ids].sort(),
      seen.map(({ id }) => id),
    );
  });

  it('serve a cursor from any of them: from the history, or from the engine', async () => {
    const [a, b] = [await start(), await start()];
    const first = await a.listen('/?room=x&room=y');
    a.hub.to('x').send('0');
    const { id: lastEventId } = await first.next();
    first.close();
    for (const room of ['x', 'y', 'z', 'x']) a.hub.to(room).send(room);
    await a.hub.to('x').send('keyed', { key: 'k' }).accepted;
    const fresh = await start(); // it was not there
    for (const { listen } of [b, fresh]) {
      const back = await listen('/?room=x&room=y', { lastEventId });
      const data = [];
      while (data.length < 3) data.push((await back.next()).data);
      assert.deepEqual(data, ['x', 'y', 'x']);
    }
    const live = await fresh.listen('/?room=x', { lastEventId });
    await live.next();
    await live.next();
    a.hub.to('x').send('live');
    assert.equal((await live.next()).data, 'live');
  });

  it('wait with a cursor that another one has given and that has not come here yet', async () => {
    const [a, b] = [await start(), await start()];
    const here = await a.listen('/?room=x');
    a.hub.to('x').send('1');
    a.hub.to('x').send('2');
    const [one, two] = [await here.next(), await here.next()];
    const late = await start();
    // Its tail stands behind both; a cursor of what is yet to come is served when that has come.
    const ahead = await late.listen('/?room=x', { lastEventId: two.id });
    b.hub.to('x').send('3');
    assert.equal((await ahead.next()).data, '3');
    assert(one.id < two.id);
  });

  it('tell a client that comes back too late, with the snapshot behind it', async () => {
    engine = new MemoryEngine({ maxLen: 5 });
    const snapshot = (client, why) => client.send(`all of it, ${why}`);
    const a = await start({ snapshot });
    const first = await a.listen('/?room=x');
    assert.equal((await first.next()).data, 'all of it, new');
    a.hub.to('x').send('1');
    const { id: lastEventId } = await first.next();
    for (let i = 0; i < 10; i++) await a.hub.to('x').send(`${i}`).accepted;
    const b = await start({ snapshot });
    const back = await b.listen('/?room=x', { lastEventId });
    assert.equal((await back.next()).event, 'fanline:reset');
    assert.equal((await back.next()).data, 'all of it, reset');
  });

  it('carry join, leave and disconnect to the clients of all', async () => {
    const [a, b] = [await start(), await start()];
    const [here, there] = [await a.listen('/'), await b.listen('/')];
    a.hub.user('ada').join('y');
    await b.hub.to('y').send('hello').accepted;
    assert.equal((await here.next()).data, 'hello');
    assert.equal((await there.next()).data, 'hello');
    b.hub.to('y').disconnect({ data: 'bye', reconnect: false });
    for (const stream of [here, there]) {
      assert.equal((await stream.next()).data, 'bye');
      assert.equal(await stream.next(), null);
    }
  });

  it('give what was sent before the end, and then end', async () => {
    const [a, b] = [await start(), await start()];
    const [here, there] = [await a.listen('/'), await b.listen('/')];
    a.hub.broadcast('last words');
    await a.hub.close({ grace: 0 });
    assert.equal((await here.next()).data, 'last words');
    assert.equal(await here.next(), null);
    assert.equal((await there.next()).data, 'last words');
  });

  it('end when the last client leaves while last words travel', async () => {
    const a = await start();
    const here = await a.listen('/');
    engine.append = () => new Promise(() => {}); // nothing comes back any more
    a.hub.broadcast('never');
    const closed = a.hub.close({ grace: 2_000 });
    here.close();
    assert.deepEqual(await closed, { ended: 1, cut: 0 });
  });

  it('tell everybody when events are gone that never came, whatever they keep', async () => {
    engine = new MemoryEngine({ maxLen: 5 });
    for (const options of [
      {},
      { history: false },
      { snapshot: (client) => client.send('all of it') },
    ]) {
      const a = await start(options);
      const here = await a.listen('/?room=x');
      if (options.snapshot) assert.equal((await here.next()).data, 'all of it');
      // In one stretch, so that nobody can read in between.
      engine.append(
        'another',
        1 + made.length * 10,
        Array.from({ length: 10 }, () => ({
          head: '{"t":{"r":["y"]},"h":1}',
          data: Buffer.from('x'),
        })),
      );
      const told = await here.next();
      assert.deepEqual([told.event, told.data], ['fanline:reset', 'expired']);
      if (options.snapshot) assert.equal((await here.next()).data, 'all of it');
      await a.hub.to('x').send('live').accepted;
      assert.equal((await here.next()).data, 'live');
    }
  });

  it('end a stream whose snapshot was under way when events were lost', async () => {
    engine = new MemoryEngine({ maxLen: 5 });
    const a = await start({ snapshot: () => new Promise(() => {}) });
    const here = await a.listen('/?room=x');
    engine.append(
      'another',
      1,
      Array.from({ length: 10 }, () => ({ head: '{"t":{"a":1}}', data: Buffer.from('x') })),
    );
    assert.equal(await here.next(), null);
    assert.equal(a.hub.stats().disconnects.error, 1);
  });

  it('pass over what somebody else has put among their events', async () => {
    const a = await start();
    const here = await a.listen('/?room=x');
    const told = once(a.hub, 'adapter');
    for (const [i, head] of ['', 'null', '{}', '[1]'].entries())
      engine.append('other', i + 1, [{ head, data: Buffer.from('x') }]);
    assert.match((await told)[0].error.message, /is not one of fanline/);
    a.hub.to('x').send('hello');
    assert.equal((await here.next()).data, 'hello');
    assert.equal(a.hub.size, 1);
  });

  it('tell everybody of an event that is too large for one of them alone', async () => {
    const [a, b] = [await start(), await start({ limits: { eventBytes: 1_000 } })];
    const there = await b.listen('/?room=x');
    const told = once(b.hub, 'adapter');
    await a.hub.to('x').send('x'.repeat(1_001)).accepted;
    assert.match((await told)[0].error.message, /can't be sent here: .* 1001 bytes/);
    assert.equal((await there.next()).event, 'fanline:reset');
    a.hub.to('x').send('small');
    assert.equal((await there.next()).data, 'small');
  });

  it('resolve `accepted` with the id that the event has, or with none', async () => {
    const a = await start();
    assert.match(await a.hub.to('x').send('1').accepted, /^\d+-\d+$/);
    assert.equal(await a.hub.to('x').send('1', { history: false }).accepted, undefined);
    assert.equal(await a.hub.to('x').send('1', { key: 'k' }).accepted, undefined);
    const b = await start({ history: false });
    assert.equal(await b.hub.to('x').send('1', { id: 'mine' }).accepted, 'mine');
  });

  it('count a delivery among their own clients, when the event is back', async () => {
    const [a, b] = [await start(), await start()];
    await Promise.all([a.listen('/?room=x'), a.listen('/?room=x'), b.listen('/?room=x')]);
    const { id, ...counts } = await a.hub.to('x').deliver('hello');
    assert.deepEqual(counts, { matched: 2, written: 2, dropped: 0, closed: 0 });
    assert.match(id, /^\d+-\d+$/);
    assert.equal((await a.hub.to('nobody').deliver('x')).matched, 0);
  });

  it('know who is there, in pages and as numbers', async () => {
    const [a, b] = [await start(), await start()];
    await Promise.all([a.listen('/?room=x'), a.listen('/?room=y'), b.listen('/?room=x')]);
    const all = await a.hub.presence();
    assert.equal(all.size, 3);
    assert.equal(all.next, null);
    const ids = [...a.hub.clients.keys(), ...b.hub.clients.keys()].sort();
    assert.deepEqual(
      all.clients,
      ids.map((id) => ({ id, user: 'ada' })),
    );
    assert.deepEqual(await b.hub.presence({ room: 'x', limit: 0 }), {
      size: 2,
      clients: [],
      next: null,
    });
    const pages = [];
    for (let after; after !== null; ) {
      const { clients, next } = await a.hub.presence({ user: 'ada', limit: 2, after });
      pages.push(...clients.map(({ id }) => id));
      after = next;
    }
    assert.deepEqual(pages, ids);
  });

  it('let a user have so many clients over all of them', async () => {
    const limits = { clientsPerUser: 2 };
    const [a, b] = [await start({ limits }), await start({ limits })];
    const [first] = [await a.listen('/'), await b.listen('/')];
    const third = await a.listen('/');
    assert.equal(await third.next(), null);
    assert.match(third.text, /^retry: \d{5,}$/m);
    assert.equal(a.hub.stats().disconnects.capacity, 1);
    first.close();
    await once(a.hub, 'disconnect');
    const fourth = await b.listen('/');
    b.hub.broadcast('hello');
    assert.equal((await fourth.next()).data, 'hello');
  });
});

describe('a hub whose engine is not there', () => {
  const nowhere = (publish) => ({
    maxPendingBytes: 1_000,
    open: (host) => ({
      publish,
      host,
      read: () => Promise.reject(new Error('gone')),
      processes: () => Promise.reject(new Error('gone')),
      close: async () => {},
    }),
  });

  it('takes sends up to its limit, and then says so', async () => {
    const adapter = nowhere(() => Promise.reject(new Error('gone')));
    const hub = createHub({ adapter });
    const told = once(hub, 'adapter');
    const waits = hub.broadcast('x'.repeat(500));
    const [state] = await told;
    assert.equal(state.state, 'down');
    assert.equal(state.error.message, 'gone');
    const refused = hub.broadcast('x'.repeat(800));
    await assert.rejects(refused.accepted, { code: 'ERR_FAN_ADAPTER' });
    await assert.rejects(hub.user('x').deliver('x'.repeat(800)), { code: 'ERR_FAN_ADAPTER' });
    hub.user('x').deliver('x'.repeat(800)); // nobody listens: no unhandled rejection
    await assert.rejects(hub.presence(), /gone/);
    await hub.close();
    await assert.rejects(waits.accepted, { code: 'ERR_FAN_CLOSED' });
  });

  it('refuses at once what the engine will never take, and goes on', async () => {
    let calls = 0;
    const hub = createHub({
      adapter: nowhere(async () => {
        if (++calls > 1) return ['1-1'];
        throw Object.assign(new Error('not like this'), { isFinal: true });
      }),
    });
    await assert.rejects(hub.broadcast('1').accepted, {
      code: 'ERR_FAN_ADAPTER',
      message: /not like this/,
    });
    assert.equal(await hub.broadcast('2').accepted, '1-1');
    await hub.close();
  });

  it('does not send again what is on its way, whatever it is told of the engine', async () => {
    let calls = 0;
    let answer;
    const adapter = nowhere(() => {
      calls++;
      return new Promise((resolve) => {
        answer = resolve;
      });
    });
    let host;
    const open = (given) => {
      host = given;
      return adapter.open(given);
    };
    const hub = createHub({ adapter: { ...adapter, open } });
    const { accepted } = hub.broadcast('1');
    await new Promise(setImmediate);
    for (let i = 0; i < 3; i++) {
      host.state('down', new Error('gone'));
      host.state('ready');
    }
    await new Promise(setImmediate);
    answer(['1-1']);
    assert.equal(await accepted, '1-1');
    assert.equal(calls, 1);
    await hub.close();
  });

  it('sends the same batch again until it is answered, and nothing before it', async () => {
    const seen = [];
    const hub = createHub({
      adapter: nowhere(async (first, sends) => {
        seen.push([first, sends.map(({ data }) => String(Buffer.from(data)))]);
        if (seen.length < 3) throw new Error('no answer');
        return sends.map((_, i) => `${seen.length}-${i}`);
      }),
    });
    hub.broadcast('a');
    hub.broadcast('b');
    await new Promise(setImmediate);
    assert.equal(await hub.broadcast('c').accepted, '4-0');
    assert.deepEqual(seen, [
      [1, ['a', 'b']],
      [1, ['a', 'b']],
      [1, ['a', 'b']],
      [3, ['c']],
    ]);
    await hub.close();
  });
});
