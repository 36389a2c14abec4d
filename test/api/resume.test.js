'use strict';

// Coming back: what of the missed there is to be had, and what not. (In a storm: test/load/resume-storm.test.js.)

const assert = require('node:assert/strict');
const { setTimeout: sleep } = require('node:timers/promises');
const { createHub } = require('fanline');
const { World, cursorOf, reads } = require('../js/support/resume-world');
const { when } = require('../js/support/stage');

const AWAY = { auto: 3_000, relay: 300 }; // ms: a page that is loaded anew
const SHORT = 150; // ms: the age of what is kept, where it is to grow old

/** ms that the first event for so many new rooms takes. */
function firstSend(count) {
  const hub = createHub();
  const target = hub.to(Array.from({ length: count }, (_, i) => `room ${i}`));
  const begun = performance.now();
  target.send('x');
  const ms = performance.now() - begun;
  hub.close({ grace: 0 });
  return ms;
}

it('an event for ten times as many new rooms costs about ten times as much', () => {
  firstSend(5_000);
  // The least of several: what the machine did besides is in the others. A short one is seldom interrupted, a long one often.
  const [few, many] = [
    [5_000, 3],
    [50_000, 7],
  ].map(([count, times]) => Math.min(...Array.from({ length: times }, () => firstSend(count))));
  assert.ok(many < few * 40, `${few} and ${many} ms`); // the square would be a hundred times
});

for (const transport of ['auto', 'relay']) {
  describe(`coming back, ${transport}`, () => {
    let world;
    let hub;
    let stage;

    async function start(options) {
      world = await World.of({ transport, ...options });
      ({ hub, stage } = world);
    }

    afterEach(() => world.close());

    /** Reads `count` events, then leaves. @returns {Promise<string|undefined>} what it would come back with */
    async function leave({ client, stream }, count = 0) {
      await reads(stream, count);
      stream.close();
      await when(() => client.closed !== null, 'the end');
      return cursorOf(stream);
    }

    /** All that a client gets which comes with this id, up to a last event. */
    async function comesBack(opts, lastEventId) {
      const { stream } = await stage.connect(opts, { lastEventId });
      hub.broadcast('the last', { history: false });
      const list = [];
      for (;;) {
        const [text] = await reads(stream, 1);
        if (text === 'the last') return { list, stream };
        list.push(text);
      }
    }

    it('a new room that a send both means and excepts is one room in the history', async () => {
      await start({ history: { events: 1 } });
      const cursor = await hub.to('elsewhere').send('told the epoch').accepted;
      hub.to(['room', 'other']).except('room').send('for others');
      hub.to('room').send('for all');
      const { list } = await comesBack({ rooms: 'room' }, cursor);
      assert.deepEqual(list, ['fanline:reset expired']); // its one place is taken by the second
      const { list: others } = await comesBack({ rooms: 'other' }, cursor);
      assert.deepEqual(others, ['for others']);
    });

    it(`a user whose only tab is away for ${AWAY[transport]} ms misses nothing`, async function () {
      this.timeout(10_000);
      await start();
      const ada = { user: 'ada', rooms: 'room' };
      const seen = await stage.connect(ada);
      hub.user('ada').send('before');
      await reads(seen.stream, 1);
      const cursor = cursorOf(seen.stream);
      hub.user('ada').send('lost on its way');
      await leave(seen);
      // This one has not had an event of its own, only the opening id and something private.
      const bo = { user: 'bo' };
      const fresh = await stage.connect(bo);
      fresh.client.send('welcome');
      const opening = await leave(fresh, 1);
      assert.deepEqual([hub.size, hub.user('ada').size, hub.rooms.size], [0, 0, 0]);
      for (let i = 1; i <= 3; i++) {
        assert.equal(hub.user('ada').send(`to ada ${i}`).matched, 0);
        hub.to('room').send(`to the room ${i}`);
        hub.user('bo').send(`to bo ${i}`);
        await sleep(AWAY[transport] / 3);
      }
      const missed = [1, 2, 3].flatMap((i) => [`to ada ${i}`, `to the room ${i}`]);
      assert.deepEqual((await comesBack(ada, cursor)).list, ['lost on its way', ...missed]);
      const list = ['to bo 1', 'to bo 2', 'to bo 3'];
      assert.deepEqual((await comesBack(bo, opening)).list, list);
      assert.equal(hub.stats().resets, 0);
    });

    it('whoever has not got a single event has no cursor: it begins anew, without a reset', async () => {
      await start();
      hub.to('room').send('long ago');
      const first = await stage.connect({ rooms: 'room' });
      await first.stream.until(({ text }) => /^id: .*\n$/m.test(text));
      const cursor = await leave(first);
      assert.equal(cursor, undefined); // the opening id counts with the first block, and there was none
      hub.to('room').send('missed');
      assert.deepEqual((await comesBack({ rooms: 'room' }, cursor)).list, []);
      const { resets, replays } = hub.stats();
      assert.deepEqual([resets, replays], [0, 0]);
    });

    it('gets what the rooms of the new request have, in order and once, whatever the old one was in', async () => {
      await start();
      const cursor = await leave(await stage.connect({ rooms: ['a', 'b'] }).then(withOne), 1);
      hub.to('a').send('a');
      hub.to(['b', 'c']).send('b, c');
      hub.to(['a', 'b', 'c']).send('a, b, c');
      hub.to('a').except('c').send('a, not c');
      hub.except('b').send('all, not b');
      hub.user('eve').send('for eve');
      hub.to('d').send('d');
      const back = async (opts) => (await comesBack(opts, cursor)).list;
      assert.deepEqual(await back({ rooms: ['b', 'c'] }), ['b, c', 'a, b, c']);
      assert.deepEqual(await back({ rooms: 'a' }), ['a', 'a, b, c', 'a, not c', 'all, not b']);
      assert.deepEqual(await back({ rooms: 'd', user: 'eve' }), ['all, not b', 'for eve', 'd']);
      assert.deepEqual(await back({}), ['all, not b']);
    });

    function withOne(both) {
      hub.broadcast('one');
      return both;
    }

    it('does not get what was private, keyed or not to be kept', async () => {
      await start();
      const one = withOne(await stage.connect({ rooms: 'room' }));
      const { id } = one.client;
      const cursor = await leave(one, 1);
      one.client.send('private');
      hub.client(id).send('by id');
      hub.to('room').send('keyed', { key: 'k' });
      hub.to('room').send('passing', { history: false });
      hub.to('room').send('kept');
      assert.deepEqual((await comesBack({ rooms: 'room' }, cursor)).list, ['kept']);
    });

    it('what was let go of by number: one reset, whose id is a new cursor', async () => {
      await start({ history: { events: 3 } });
      const cursor = await leave(withOne(await stage.connect({ rooms: 'room' })), 1);
      for (let i = 1; i <= 3; i++) hub.to('room').send(`missed ${i}`);
      const { list } = await comesBack({ rooms: 'room' }, cursor);
      assert.deepEqual(list, ['missed 1', 'missed 2', 'missed 3']);
      hub.to('room').send('missed 4');
      const late = await comesBack({ rooms: 'room' }, cursor);
      assert.deepEqual(late.list, ['fanline:reset expired']);
      hub.to('room').send('behind');
      const again = await comesBack({ rooms: 'room' }, cursorOf(late.stream));
      assert.deepEqual(again.list, ['behind']);
    });

    it('a quiet room is never reset by a busy one', async () => {
      await start({ history: { events: 3 } });
      const cursor = await leave(withOne(await stage.connect({ rooms: 'quiet' })), 1);
      hub.to('quiet').send('missed');
      for (let i = 0; i < 100; i++) hub.to('busy').send('x');
      assert.deepEqual((await comesBack({ rooms: 'quiet' }, cursor)).list, ['missed']);
      const both = await comesBack({ rooms: ['quiet', 'busy'] }, cursor);
      assert.deepEqual(both.list, ['fanline:reset expired']);
    });

    it('what was let go of for its age: a reset; nothing sent meanwhile: none, however old the cursor', async () => {
      await start({ history: { maxAge: SHORT } });
      const cursor = await leave(withOne(await stage.connect({ rooms: 'room' })), 1);
      hub.to('other').send('missed');
      await when(() => hub.stats().historyEvents === 0, 'an empty history');
      assert.deepEqual((await comesBack({ rooms: 'room' }, cursor)).list, []);
      const other = await comesBack({ rooms: ['room', 'other'] }, cursor);
      assert.deepEqual(other.list, ['fanline:reset expired']);
    });

    it('what was let go of for its bytes: a reset', async () => {
      await start({ history: { bytes: 100_000 } });
      const cursor = await leave(withOne(await stage.connect({ rooms: 'room' })), 1);
      for (let i = 0; i < 12; i++) hub.to('room').send('x'.repeat(10_000));
      const { list } = await comesBack({ rooms: 'room' }, cursor);
      assert.deepEqual(list, ['fanline:reset expired']);
      const { historyBytes } = hub.stats();
      assert.ok(historyBytes > 50_000 && historyBytes <= 100_000, `${historyBytes} bytes`);
    });

    it('a cursor from before a restart: one reset', async () => {
      await start();
      const cursor = await leave(withOne(await stage.connect()), 1);
      const old = world;
      await start();
      hub.broadcast('of the new hub');
      assert.deepEqual((await comesBack({}, cursor)).list, ['fanline:reset restart']);
      await old.close();
    });

    it("history: false knows no cursor: ids are the application's, and nothing is replayed", async () => {
      await start({ history: false });
      hub.broadcast('one', { id: 1 });
      const { list, stream } = await comesBack({}, '0');
      assert.deepEqual(list, []);
      assert.equal(stream.text.includes('id:'), false);
    });

    it('without memory for the cursor, connect() throws rather than leave a hole', async () => {
      await start();
      const NOMEM = -30;
      for (const [method, lastEventId] of Object.entries({
        resume: 'abcdefgh-1',
        mark: undefined,
      })) {
        Object.defineProperty(hub._native, method, { value: () => NOMEM, configurable: true });
        await stage.request(
          (req, res) => {
            assert.throws(() => hub.connect(req, res), { code: 'ERR_FAN_FULL' });
            res.end();
          },
          { lastEventId },
        );
        assert.equal(hub.size, 0);
        delete hub._native[method];
      }
    });
  });
}
