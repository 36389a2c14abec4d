'use strict';

// `snapshot`: the state of the world for whoever has no usable cursor. It is told before everything else, or the stream ends; and
// the cursor moves only when it is through.

const assert = require('node:assert/strict');
const { setImmediate } = require('node:timers/promises');
const { World, cursorOf, deferred, reads } = require('../js/support/resume-world');
const { when } = require('../js/support/stage');

const ROOM = { rooms: 'room' };

for (const transport of ['auto', 'relay']) {
  describe(`snapshot, ${transport}`, () => {
    let world;
    let hub;
    let stage;
    let ends;

    async function start(options) {
      world = await World.of({ transport, ...options });
      ({ hub, stage, ends } = world);
    }

    afterEach(() => world.close());

    it("'new': runs once, for who has no cursor, after connect() has returned and everybody was told", async () => {
      const order = [];
      await start({
        snapshot: (client, why) => {
          order.push(`snapshot ${why}`);
          client.send('state');
        },
      });
      hub.on('connect', () => order.push('connect'));
      hub.on('join', () => order.push('join'));
      const { path, result } = stage.expect((req, res) => {
        const client = hub.connect(req, res, ROOM);
        order.push('returned');
        return client;
      });
      const stream = await stage.open(path);
      await result;
      hub.to('room').send('live');
      assert.deepEqual(await reads(stream, 2), ['state', 'live']);
      assert.deepEqual(order, ['connect', 'join', 'returned', 'snapshot new']);
    });

    it('does not run for who has a usable cursor: that one gets what it missed', async () => {
      const whys = [];
      await start({ snapshot: (_client, why) => whys.push(why) });
      const first = await stage.connect(ROOM);
      hub.to('room').send('one');
      await reads(first.stream, 1);
      first.stream.close();
      hub.to('room').send('two');
      const second = await stage.connect(ROOM, { lastEventId: cursorOf(first.stream) });
      hub.to('room').send('three');
      assert.deepEqual(await reads(second.stream, 2), ['two', 'three']);
      assert.deepEqual(whys, ['new']);
    });

    it("'reset': one fanline:reset, then the snapshot, then what was sent meanwhile, then live", async () => {
      const gate = deferred();
      const whys = [];
      await start({
        snapshot: async (client, why) => {
          whys.push(why);
          client.send('state');
          await gate.promise;
          client.send('more state');
        },
      });
      const { client, stream } = await stage.connect(ROOM, { lastEventId: 'abcdefgh-1' });
      assert.deepEqual(await reads(stream, 2), ['fanline:reset restart', 'state']);
      hub.to('room').send('meanwhile');
      gate.resolve();
      assert.deepEqual(await reads(stream, 2), ['more state', 'meanwhile']);
      hub.to('room').send('live');
      assert.deepEqual(await reads(stream, 1), ['live']);
      assert.deepEqual(whys, ['reset']);
      assert.equal(hub.stats().resets, 1);
      assert.equal(client.closed, null);
    });

    it('while it runs, client.send and client.pipe pass; everything else comes behind it in the order of sending', async () => {
      const gate = deferred();
      const running = deferred();
      await start({
        snapshot: async (client) => {
          client.send('own 1');
          running.resolve(client);
          await gate.promise;
          await client.pipe(['piped 1', 'piped 2'], { end: false });
          client.send('own 2');
        },
      });
      const { client, stream } = await stage.connect({ ...ROOM, user: 'ada' });
      await running.promise;
      hub.to('room').send('kept 1');
      hub.to('room').send('unkept 1', { history: false });
      hub.to('room').send('keyed, replaced', { key: 'k' });
      hub.user('ada').send('kept 2');
      hub.to('room').send('keyed', { key: 'k' });
      hub.client(client.id).send('by id');
      const delivery = hub.to('room').deliver('delivered');
      hub.broadcast('unkept 2', { history: false });
      hub.broadcast('kept 3');
      client.send('own, from elsewhere');
      gate.resolve();
      const expected = [
        ...['own 1', 'own, from elsewhere', 'piped 1', 'piped 2', 'own 2'],
        ...['kept 1', 'unkept 1', 'keyed', 'kept 2', 'by id', 'delivered', 'unkept 2', 'kept 3'],
      ];
      assert.deepEqual(await reads(stream, expected.length), expected);
      const { matched, written } = await delivery;
      assert.deepEqual([matched, written], [1, 1]);
    });

    it('what was sent before connect() is not in the stream, what was sent behind it is, in one stretch', async () => {
      await start({ snapshot: (client) => client.send('state') });
      const { path, result } = stage.expect((req, res) => {
        hub.to('room').send('before');
        const client = hub.connect(req, res, ROOM);
        hub.to('room').send('behind');
        return client;
      });
      const stream = await stage.open(path);
      await result;
      assert.deepEqual(await reads(stream, 2), ['state', 'behind']);
    });

    it('a client cut off in the middle comes back and gets a snapshot again; cut off behind it, what it missed', async () => {
      const gates = [deferred(), deferred(), deferred()];
      const whys = [];
      await start({
        snapshot: async (client, why) => {
          const gate = gates[whys.push(why) - 1];
          client.send('half');
          await gate.promise;
          client.send('whole');
        },
      });
      const first = await stage.connect(ROOM);
      await reads(first.stream, 1);
      hub.to('room').send('missed 1');
      first.stream.close();
      await when(() => ends.length === 1);
      assert.equal(cursorOf(first.stream), undefined);

      // With a cursor of another life it is the same: the reset has no id.
      const second = await stage.connect(ROOM, { lastEventId: 'abcdefgh-7' });
      assert.deepEqual(await reads(second.stream, 2), ['fanline:reset restart', 'half']);
      second.stream.close();
      await when(() => ends.length === 2);
      assert.equal(cursorOf(second.stream), undefined);

      const third = await stage.connect(ROOM, { lastEventId: 'abcdefgh-7' });
      await reads(third.stream, 2);
      hub.to('room').send('behind');
      gates[2].resolve();
      assert.deepEqual(await reads(third.stream, 2), ['whole', 'behind']);
      third.stream.close();
      await when(() => ends.length === 3);
      hub.to('room').send('missed 2');
      const fourth = await stage.connect(ROOM, { lastEventId: cursorOf(third.stream) });
      hub.to('room').send('live');
      assert.deepEqual(await reads(fourth.stream, 2), ['missed 2', 'live']);
      assert.deepEqual(whys, ['new', 'reset', 'reset']);
    });

    it('the id of what was kept before it comes with the first block behind it', async () => {
      await start({ snapshot: (client) => client.send('state') });
      hub.to('room').send('1');
      const { stream } = await stage.connect(ROOM);
      await reads(stream, 1);
      hub.to('room').send('passing', { history: false });
      await reads(stream, 1);
      assert.match(cursorOf(stream), /^[a-z][a-z0-9]{7}-1$/);
    });

    it('history: false, ids and store of the application: whoever comes back gets what its id says is missing', async () => {
      const store = [];
      const post = (text) => {
        store.push(text);
        hub.to('room').send(text, { id: store.length });
      };
      const asked = [];
      await start({
        history: false,
        snapshot: async (client, why) => {
          asked.push([why, client.lastEventId]);
          const from = Number(client.lastEventId ?? 0);
          await setImmediate();
          for (const [i, text] of store.entries()) if (i >= from) client.send(text, { id: i + 1 });
        },
      });
      post('one');
      const first = await stage.connect(ROOM);
      assert.deepEqual(await reads(first.stream, 1), ['one']);
      first.stream.close();
      await when(() => ends.length === 1);
      assert.equal(cursorOf(first.stream), '1');
      post('two');
      const second = await stage.connect(ROOM, { lastEventId: cursorOf(first.stream) });
      assert.deepEqual(await reads(second.stream, 1), ['two']);
      post('three');
      assert.deepEqual(await reads(second.stream, 1), ['three']);
      assert.equal(cursorOf(second.stream), '3');
      assert.deepEqual(asked, [
        ['new', undefined],
        ['new', '1'],
      ]);
    });

    it('opts.lastEventId is a cursor as the header is, and stands above it', async () => {
      await start({ snapshot: (client, why) => client.send(why) });
      hub.to('room').send('one');
      const opened = await stage.connect(ROOM);
      await reads(opened.stream, 1);
      hub.to('room').send('two');
      await reads(opened.stream, 1);
      const usable = cursorOf(opened.stream).replace(/\d+$/, '1');
      const both = await stage.connect({ ...ROOM, lastEventId: usable }, { lastEventId: 'junk' });
      assert.deepEqual(await reads(both.stream, 1), ['two']);
      const forged = await stage.connect({ ...ROOM, lastEventId: 'junk' }, { lastEventId: usable });
      assert.deepEqual(await reads(forged.stream, 2), ['fanline:reset invalid', 'reset']);
    });

    it('each of many clients waits for its own', async () => {
      const gates = new Map();
      await start({
        snapshot: (client) => {
          const gate = deferred();
          gates.set(client.data, gate);
          return gate.promise.then(() => client.send(`state of ${client.data}`));
        },
      });
      const all = [];
      for (let i = 0; i < 8; i++) all.push(await stage.connect({ ...ROOM, data: i }));
      hub.to('room').send('live');
      for (let i = 7; i >= 0; i--) {
        gates.get(i).resolve();
        assert.deepEqual(await reads(all[i].stream, 2), [`state of ${i}`, 'live']);
        for (let j = 0; j < i; j++) assert.deepEqual(all[j].stream.events, []);
      }
    });
  });
}
