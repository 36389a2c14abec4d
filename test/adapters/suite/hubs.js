'use strict';

// What hubs do on an adapter, whatever it is: each test has a few of them, with servers and clients of their own.

const assert = require('node:assert/strict');
const { once } = require('node:events');
const http = require('node:http');
const { setTimeout: delay } = require('node:timers/promises');
const { createHub } = require('fanline');
const { open } = require('fanline/testing');
const { when } = require('../../js/support/stage');
const { Wanderer } = require('../support/wanderer');

/** One hub behind a server. `/?room=a&room=b&user=x` */
class Site {
  constructor(adapter, options) {
    this.hub = createHub({ adapter, heartbeat: 1_000, ...options });
    this.errors = [];
    this.hub.on('adapter', ({ error }) => error && this.errors.push(error));
    this.isReady = once(this.hub, 'adapter');
    this.server = http.createServer(this.hub.handler((req) => this.options(req)));
    this.server.listen(0, '127.0.0.1');
    this.streams = [];
  }

  options({ url }) {
    const query = new URL(url, 'http://x').searchParams;
    return { rooms: query.getAll('room'), user: query.get('user') ?? undefined };
  }

  async listen(query = '', options = {}) {
    if (!this.server.listening) await once(this.server, 'listening');
    const stream = await open(this.server, `/?${query}`, { timeout: 10_000, ...options });
    this.streams.push(stream);
    return stream;
  }

  async close() {
    await this.hub.close({ grace: 0 });
    for (const stream of this.streams) stream.close();
    this.server.closeAllConnections();
    this.server.close();
  }
}

/** @param {object} engine see ../conformance.js */
function definesHubs(engine) {
  describe(`${engine.name}: hubs`, function () {
    this.timeout(30_000);
    let world;
    let sites = [];

    async function begin(limits) {
      world = await engine.start({ maxLen: 10_000, ...limits });
    }

    function siteUnready(options) {
      const site = new Site(world.adapter(), options);
      sites.push(site);
      return site;
    }

    async function site(options) {
      const made = siteUnready(options);
      await made.isReady;
      return made;
    }

    async function sitesOf(count, options) {
      await begin();
      return Promise.all(Array.from({ length: count }, () => site(options)));
    }

    afterEach(async () => {
      const over = sites;
      sites = [];
      await Promise.all(over.map((one) => one.close()));
      await world?.stop();
      world = undefined;
      assert.deepEqual(
        over.flatMap(({ errors }) => errors),
        [],
      );
    });

    const shared = { begin, site, siteUnready, sitesOf };
    definesTargets(shared);
    definesCommands(shared);
    definesReplay(shared);
  });
}

function definesTargets({ begin, siteUnready, sitesOf }) {
  it('reach everyone, rooms and users of all, in one order and under one id', async () => {
    const all = await sitesOf(3);
    const streams = await Promise.all(all.map((one, i) => one.listen(`room=x&user=u${i}`)));
    const [a, b, c] = all.map(({ hub }) => hub);
    a.broadcast('begin'); // the first event of a stream carries a cursor, whether or not it has an id
    for (const stream of streams) assert.equal((await stream.next()).data, 'begin');
    const sent = [
      a.broadcast('everyone'),
      b.to('x').send('room', { event: 'news' }),
      c.user('u0').send('first'),
      a.user('u1').to('nobody').send('second'),
      b.to('empty').send('nobody'),
      c.to('x').send({ n: 1 }, { history: false }),
    ];
    await Promise.all(sent.map(({ accepted }) => accepted));
    a.broadcast('end');
    const seen = [];
    for (const stream of streams) {
      const events = [];
      do events.push(await stream.next());
      while (events.at(-1).data !== 'end');
      seen.push(events);
    }
    const data = seen.map((events) => events.map((event) => event.data).sort());
    const common = ['end', 'everyone', 'room', '{"n":1}'];
    assert.deepEqual(data, [
      [...common, 'first'].sort(),
      [...common, 'second'].sort(),
      [...common].sort(),
    ]);
    const order = (events) => events.filter((event) => common.includes(event.data));
    assert.deepEqual(order(seen[1]), order(seen[0]));
    assert.deepEqual(order(seen[2]), order(seen[0]));
    const idOf = (text) => seen.flat().find((event) => event.data === text).id;
    const ids = await Promise.all(sent.map(({ accepted }) => accepted));
    assert.equal(idOf('everyone'), ids[0]);
    assert.equal(idOf('room'), ids[1]);
    assert.equal(idOf('{"n":1}'), undefined);
  });

  it('leave out rooms, clients and targets', async () => {
    const [a, b] = await sitesOf(2);
    const here = await a.listen('room=x&room=quiet');
    const there = await b.listen('room=x&user=ada');
    const third = await b.listen('room=x');
    const [client] = [...b.hub.clients.values()].filter(({ user }) => user === undefined);
    a.hub.to('x').except('quiet').send('not the quiet ones');
    await b.hub.to('x').except(client).send('not the third').accepted;
    a.hub.to('x').except(a.hub.user('ada')).send('not ada');
    a.hub.to('x').send('end');
    const read = async (stream) => {
      const data = [];
      do data.push((await stream.next()).data);
      while (data.at(-1) !== 'end');
      return data.sort();
    };
    assert.deepEqual(await read(here), ['end', 'not ada', 'not the third']);
    assert.deepEqual(await read(there), ['end', 'not the quiet ones', 'not the third']);
    assert.deepEqual(await read(third), ['end', 'not ada', 'not the quiet ones']);
  });

  it('carry text of any kind and size, byte by byte', async () => {
    const [a, b] = await sitesOf(2);
    const [here, there] = [await a.listen(), await b.listen()];
    const some = 'aä漢🦊\u0001\u2028"\\{}'; // 18 bytes
    const texts = ['x', ...[1, 6, 300, 4_000, 14_563, 58_254].map((times) => some.repeat(times))];
    for (const text of texts) await a.hub.broadcast(text).accepted;
    for (const text of texts) {
      for (const stream of [here, there]) assert.equal((await stream.next()).data, text);
    }
  });

  it('give what is sent before the engine has answered to those who are there', async () => {
    await begin();
    const early = siteUnready();
    const listening = early.listen();
    const connected = once(early.hub, 'connect');
    const { accepted } = early.hub.broadcast('at once');
    await connected;
    const delivery = early.hub.to('nobody').deliver('counted');
    early.hub.broadcast('a little later');
    assert.match(await accepted, /^\d+-\d+$/);
    assert.equal((await delivery).matched, 0);
    const stream = await listening;
    await early.isReady;
    const data = [];
    do data.push((await stream.next()).data);
    while (data.at(-1) !== 'a little later');
    assert(data.length <= 2);
  });
}

function definesCommands({ sitesOf }) {
  it('let targets join, leave and be disconnected wherever they are', async () => {
    const [a, b] = await sitesOf(2);
    const [here, there] = [await a.listen('user=ada'), await b.listen('user=ada')];
    a.hub.user('ada').join('y');
    await a.hub.to('y').send('1').accepted;
    b.hub.user('ada').leave('y');
    b.hub.to('y').send('not seen');
    await b.hub.user('ada').send('2').accepted;
    for (const stream of [here, there]) assert.deepEqual(await stream.data(2), ['1', '2']);
    b.hub.user('ada').disconnect({ data: 'bye', reconnect: false });
    for (const stream of [here, there]) {
      assert.equal((await stream.next()).data, 'bye');
      assert.equal(await stream.next(), null);
    }
  });

  it('send to a client of any of them by its id', async () => {
    const [a, b] = await sitesOf(2);
    const there = await b.listen();
    const [id] = b.hub.clients.keys();
    a.hub.client(id).send('for you');
    assert.equal((await there.next()).data, 'for you');
  });

  it('count a delivery among their own clients, once it is back', async () => {
    const [a, b] = await sitesOf(2);
    await Promise.all([a.listen('room=x'), a.listen('room=x'), b.listen('room=x')]);
    for (let times = 0; times < 3; times++) {
      const both = await Promise.all([a, b].map(({ hub }) => hub.to('x').deliver('hello')));
      const none = { dropped: 0, closed: 0 };
      assert.deepEqual(
        both.map(({ id, ...counts }) => counts),
        [
          { matched: 2, written: 2, ...none },
          { matched: 1, written: 1, ...none },
        ],
      );
      for (const { id } of both) assert.match(id, /^\d+-\d+$/);
    }
  });

  it('know who is there, page by page, and no longer who has left', async () => {
    const all = await sitesOf(3);
    const streams = [];
    for (const [i, one] of all.entries()) {
      streams.push(await one.listen(`room=x&user=u${i}`), await one.listen('room=y'));
    }
    const [{ hub }] = all;
    assert.equal((await hub.presence({ limit: 0 })).size, 6);
    assert.equal((await all[2].hub.presence({ room: 'x', limit: 0 })).size, 3);
    const { clients } = await hub.presence({ user: 'u1' });
    assert.deepEqual(clients, [{ id: clients[0].id, user: 'u1' }]);
    const seen = [];
    for (let after; after !== null; ) {
      const page = await hub.presence({ limit: 2, after });
      assert(page.clients.length <= 2);
      seen.push(...page.clients.map(({ id }) => id));
      after = page.next;
    }
    assert.deepEqual(seen, all.flatMap((one) => [...one.hub.clients.keys()]).sort());
    const left = once(all[1].hub, 'disconnect');
    streams[2].close();
    await left;
    assert.equal((await hub.presence({ room: 'x' })).size, 2);
    await all[2].close();
    assert.equal((await hub.presence()).size, 3);
  });

  it('let a user have so many clients over all of them', async () => {
    const [a, b] = await sitesOf(2, { limits: { clientsPerUser: 2 } });
    const streams = [];
    for (const one of [a, b, a]) streams.push(await one.listen('user=ada'));
    const refused = await Promise.race(streams.map((one) => one.end().then(() => one)));
    assert.match(refused.text, /^retry: \d{5,}$/m); // far in the future
    const ended = [a, b].map(({ hub }) => hub.stats().disconnects.capacity);
    assert.equal(ended[0] + ended[1], 1);
    const [first, second] = streams.filter((one) => one !== refused);
    await a.hub.broadcast('to both').accepted;
    for (const one of [first, second]) assert.equal((await one.next()).data, 'to both');
    first.close();
    // Counts take their way to the engine: one that comes at the same moment may still be one too many.
    let fourth;
    do fourth = await b.listen('user=ada');
    while ((await Promise.race([fourth.end(), delay(300, 'open')])) !== 'open');
    await a.hub.broadcast('hello').accepted;
    assert.equal((await fourth.next()).data, 'hello');
  });
}

function definesReplay({ begin, site, sitesOf }) {
  it('give whoever comes back, to whichever of them, what it missed', async () => {
    const [a, b] = await sitesOf(2);
    const first = await a.listen('room=x');
    b.hub.broadcast('hello');
    const { id: lastEventId } = await first.next();
    first.close();
    for (let i = 0; i < 20; i++) await a.hub.to(i % 2 ? 'x' : 'y').send(`${i}`).accepted;
    const late = await site(); // it was not there
    const missed = Array.from({ length: 10 }, (_, i) => `${2 * i + 1}`);
    for (const one of [a, b, late]) {
      const back = await one.listen('room=x', { lastEventId });
      assert.deepEqual(await back.data(missed.length), missed);
      b.hub.to('x').send('live');
      assert.equal((await back.next()).data, 'live');
      missed.push('live');
    }
  });

  it('give a user what it missed, and nobody what was for somebody else', async () => {
    const [a, b] = await sitesOf(2);
    const first = await a.listen('room=x&user=ada');
    b.hub.broadcast('hello');
    const { id: lastEventId } = await first.next();
    first.close();
    a.hub.user('ada').send('for ada');
    a.hub.user('grace').send('for grace');
    a.hub.to('x').except(a.hub.user('ada')).send('for all but ada');
    a.hub.to('x').except('quiet').send('for those who are not quiet');
    await a.hub.broadcast('end').accepted;
    const late = await site();
    for (const one of [b, late]) {
      const ada = await one.listen('room=x&user=ada', { lastEventId });
      assert.deepEqual(await ada.data(3), ['for ada', 'for those who are not quiet', 'end']);
      const quiet = await one.listen('room=x&room=quiet', { lastEventId });
      assert.deepEqual(await quiet.data(2), ['for all but ada', 'end']);
    }
  });

  it('join what is replayed to what is live, without gap or duplicate, for clients that are cut at random', async () => {
    const all = await sitesOf(3, { history: { bytes: 20_000 } }); // less than is sent: some is read from the engine
    const wanderers = Array.from({ length: 6 }, (_, i) => new Wanderer(all, i));
    const begun = Promise.all(wanderers.map((one) => one.begin()));
    await when(() => all.reduce((sum, { hub }) => sum + hub.clients.size, 0) === 6, 'all there');
    all[0].hub.to('x').send('begin');
    await begun;
    const accepted = [];
    const sendFrom = async ({ hub }, who) => {
      for (let n = 0; n < 120; n++) {
        const sent = hub.to('x').send(`${who}:${n}:${'.'.repeat(200)}`);
        accepted.push(sent.accepted.then((id) => [id, `${who}:${n}`]));
        if (n % 3 === 0) await sent.accepted;
      }
    };
    await Promise.all(all.map(sendFrom));
    const sent = (await Promise.all(accepted)).sort(([a], [b]) => compare(a, b));
    const [end] = [await all[0].hub.to('x').send('end').accepted];
    assert(end);
    const expected = ['begin', ...sent.map(([, text]) => text), 'end'];
    for (const one of wanderers) {
      assert.deepEqual(await one.finish(), expected, `client ${one.number}`);
    }
    assert(wanderers.some((one) => one.cuts > 2));
  });

  it('tell whoever comes back too late, and give it the snapshot', async () => {
    await begin({ maxLen: 50 });
    const options = {
      history: { bytes: 4_096 },
      snapshot: (client, why) => client.send(`all of it, ${why}`),
    };
    const a = await site(options);
    const first = await a.listen('room=x');
    assert.equal((await first.next()).data, 'all of it, new');
    a.hub.to('x').send('1');
    const { id: lastEventId } = await first.next();
    for (let i = 0; i < 500; i++) await a.hub.to('x').send('x'.repeat(50)).accepted;
    for (const one of [await site(options), a]) {
      const back = await one.listen('room=x', { lastEventId });
      assert.equal((await back.next()).event, 'fanline:reset');
      assert.equal((await back.next()).data, 'all of it, reset');
      await a.hub.to('x').send('live').accepted;
      assert.equal((await back.next()).data, 'live');
    }
  });
}

/** Ids by their place. */
function compare(a, b) {
  const [[aMs, aN], [bMs, bN]] = [a, b].map((id) => id.split('-').map(Number));
  return aMs - bMs || aN - bN;
}

module.exports = { definesHubs };
