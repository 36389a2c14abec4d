'use strict';

// What a hub does when its engine, or another process on it, does not do what is expected.

const assert = require('node:assert/strict');
const http = require('node:http');
const { once } = require('node:events');
const { createHub } = require('fanline');
const { open } = require('fanline/testing');
const { MemoryEngine } = require('../../lib/distribution/memory');
const { idOf, nextSeq } = require('../../lib/distribution/ids');

const STRANGER = 'a process of another version';
const never = () => new Promise(() => {});

describe('a hub on an engine that fails', () => {
  let engine;
  const made = [];

  /** @param {(link: object) => void} change what the engine does for this hub */
  async function start(options, change = () => {}) {
    const adapter = engine.adapter();
    const { open: plain } = adapter;
    let host;
    adapter.open = (of) => {
      host = of;
      const link = plain(of);
      change(link);
      return link;
    };
    const hub = createHub({ adapter, ...options });
    const rooms = (req) => new URL(req.url, 'http://x').searchParams.getAll('room');
    const server = http.createServer(hub.handler((req) => ({ rooms: rooms(req), user: 'ada' })));
    server.listen(0, '127.0.0.1');
    await Promise.all([once(server, 'listening'), once(hub, 'adapter')]);
    made.push({ hub, server });
    return { hub, server, host, listen: (path, opts) => open(server, path, opts) };
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

  it('tells a client once, and goes on with it, if something is lost while its page is read', async () => {
    const a = await start();
    const first = await a.listen('/?room=x');
    a.hub.to('x').send('0');
    const { id: lastEventId } = await first.next();
    await a.hub.to('x').send('1').accepted;
    let asked;
    let answer;
    const isAsked = new Promise((go) => {
      asked = go;
    });
    const b = await start({}, (link) => {
      const { read } = link;
      link.read = async (...args) => {
        asked();
        await new Promise((go) => {
          answer = go;
        });
        return read.apply(link, args);
      };
    });
    const back = await b.listen('/?room=x', { lastEventId });
    await isAsked;
    b.host.lost(idOf(++engine._last));
    answer();
    assert.equal((await back.next()).event, 'fanline:reset');
    await a.hub.to('x').send('live').accepted;
    assert.equal((await back.next()).data, 'live');
  });

  it('waits no longer for a cursor from ahead than its client stays', async () => {
    const { hub, listen } = await start();
    const ahead = `${Date.now() + 50_000}-0`;
    const stream = await listen('/', { lastEventId: ahead });
    const [client] = hub.clients.values();
    while (hub._traffic.recoveries._waiting.size === 0) await new Promise(setImmediate);
    const left = once(client, 'close');
    stream.close();
    await left;
    assert.equal(hub._traffic.recoveries._waiting.size, 0);
  });

  it('knows when rooms were joined only as long as that may count', async () => {
    const { hub, listen } = await start();
    const connected = once(hub, 'connect');
    await listen('/', { lastEventId: `${Date.now()}-0` });
    const [client] = await connected;
    for (let i = 0; i < 1_000; i++) client.join(`${i}`).leave(`${i}`);
    assert(hub._traffic.recoveries._cursors.get(client).joined.size < 100);
  });

  it('serves cursors of an engine whose clock was ahead', async () => {
    engine._last = nextSeq(0, Date.now() + 3_600_000);
    engine._letGo = engine._last;
    const a = await start();
    const first = await a.listen('/?room=x');
    a.hub.to('x').send('0');
    const { id: lastEventId } = await first.next();
    await a.hub.to('x').send('1').accepted;
    const back = await a.listen('/?room=x', { lastEventId });
    assert.equal((await back.next()).data, '1');
  });

  it('resets a client once that has missed what this hub can’t send', async () => {
    const a = await start();
    const first = await a.listen('/?room=x');
    a.hub.to('x').send('0');
    const { id: lastEventId } = await first.next();
    await a.hub.to('x').send('x'.repeat(1_000)).accepted;
    const b = await start({ limits: { eventBytes: 100 } });
    const back = await b.listen('/?room=x', { lastEventId });
    const reset = await back.next();
    assert.equal(reset.event, 'fanline:reset');
    const again = await b.listen('/?room=x', { lastEventId: reset.id });
    await b.hub.to('x').send('live').accepted;
    assert.equal((await back.next()).data, 'live');
    assert.equal((await again.next()).data, 'live');
  });

  it('closes with the end alone where the last words are longer than this hub allows', async () => {
    const a = await start();
    const b = await start({ limits: { eventBytes: 100 } });
    const there = await b.listen('/?room=x');
    a.hub.to('x').disconnect({ data: 'x'.repeat(1_000), reconnect: false });
    const { event, id } = await there.next();
    assert.equal(event, 'fanline:end');
    assert.match(id, /^fanline:end:/);
    assert.equal(await there.next(), null);
  });

  for (const said of [
    { t: { a: 1 }, v: 'ask' },
    { t: { a: 1 }, v: 'sing' },
    { t: { a: 1 }, v: 'join', o: 5 },
    { t: { r: 5 }, h: 1 },
    { t: { a: 1, x: 5 }, h: 1 },
    { t: { a: 1, x: { c: [{}] } }, h: 1 },
    { t: { a: 1, x: { t: [null] } }, h: 1 },
  ]) {
    it(`goes on behind what it does not understand: ${JSON.stringify(said)}`, async () => {
      const { hub, listen } = await start();
      const here = await listen('/?room=x');
      const told = once(hub, 'adapter');
      const head = JSON.stringify({ ...said, s: STRANGER });
      engine.append(STRANGER, 1, [{ head, data: Buffer.from('of no use') }]);
      hub.to('x').send('live');
      assert.equal((await here.next()).data, 'live');
      const [{ state, error }] = await told;
      assert.deepEqual([state, error.code], ['ready', 'ERR_FAN_ADAPTER']);
    });
  }

  it('answers a delivery whose event is gone before it has come back', async () => {
    const a = await start({}, (link) => {
      link.wake = () => {}; // nothing comes
    });
    const nobody = { matched: 0, written: 0, dropped: 0, closed: 0 };
    const early = a.hub.to('x').deliver('accepted before that is told');
    await a.hub.broadcast('behind it').accepted;
    a.host.lost(idOf(engine._last));
    const { id, ...counts } = await early;
    assert.match(id, /^\d+-\d+$/);
    assert.deepEqual(counts, nobody);
    const late = a.hub.to('x').deliver('accepted when that has been told');
    a.host.lost(idOf(nextSeq(engine._last, Date.now() + 1_000)));
    assert.equal((await late).matched, 0);
  });

  it('refuses a delivery that turns out to be too large once it is back', async () => {
    const eventBytes = 100_000;
    const a = await start({ limits: { eventBytes, totalBytes: 2 * (eventBytes + 16_384) } });
    const delivered = a.hub.to('x').deliver('\n'.repeat(eventBytes));
    await assert.rejects(delivered, { code: 'ERR_FAN_TOO_LARGE' });
  });

  it('has one batch on its way, also if its listeners send', async () => {
    const sent = [];
    const { hub } = await start({}, (link) => {
      const { publish } = link;
      link.publish = (first, sends) => {
        sent.push(first);
        return sent.length === 1
          ? Promise.reject(new Error('down'))
          : publish.call(link, first, sends);
      };
    });
    let greeted;
    hub.on('adapter', ({ state }) => {
      if (state === 'ready') greeted = hub.broadcast('we are back');
    });
    await hub.broadcast('x').accepted;
    await greeted.accepted;
    await new Promise(setImmediate);
    assert.deepEqual(sent, [1, 1, 2]);
  });

  it('does not say that nobody is there when its engine does not answer', async () => {
    const deaf = (name) => start({}, (link) => Object.assign(link, { [name]: never }));
    const hubs = [await deaf('processes'), await deaf('publish')];
    const asked = hubs.map(({ hub }) => hub.presence());
    for (const one of asked) await assert.rejects(one, { code: 'ERR_FAN_ADAPTER' });
  });

  it('refuses who asks when it closes, whatever the engine does', async () => {
    const { hub } = await start({}, (link) => Object.assign(link, { processes: never }));
    const asked = assert.rejects(hub.presence(), { code: 'ERR_FAN_CLOSED' });
    await hub.close({ grace: 0 });
    await asked;
  });
});
