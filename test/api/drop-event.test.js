'use strict';

// What `drop` tells: sums, about once a second, of each client and reason, and all of it, whichever way the client ends.

const assert = require('node:assert/strict');
const { once } = require('node:events');
const { PLACES, numbered, overPlaces, taken } = require('../js/support/venue');
const { when } = require('../js/support/stage');

const KIB = 1 << 10;
const SIZE = 2 * KIB;
const PLUG = 900 * KIB; // more than the kernel takes in for a reader that does not read
const LIMITS = { queueBytes: 64 * KIB };
const TWO = PLACES.slice(0, 2);

/** Events and bytes that policies have cost, by reason, as the loop has counted them. */
function counted(hub) {
  const { dropOldest, dropNewest, replaced } = hub.stats().drops;
  return Object.entries({ dropOldest, dropNewest, replaced }).filter(([, sum]) => sum);
}

/** What was told, in the end, is what the loop has counted, for every reason. */
async function assertComplete(it) {
  const told = () => {
    const sums = {};
    for (const { reason, events, bytes } of it.drops) {
      const { events: e = 0, bytes: b = 0 } = sums[reason] ?? {};
      sums[reason] = { events: e + events, bytes: b + bytes };
    }
    return sums;
  };
  const count = (sums) => Object.values(sums).reduce((total, { events }) => total + events, 0);
  const isTold = () => it.drops.length > 0 && count(told()) >= count(it.hub.stats().drops);
  await when(isTold, 'all of it told', 3_000);
  assert.deepEqual(told(), it.hub.stats().drops);
}

/** Sends until the loop has dropped `events` more, a part of them keyed. */
async function overrun(hub, target, events) {
  const dropped = () => counted(hub).reduce((sum, [, one]) => sum + one.events, 0);
  const enough = dropped() + events;
  for (let n = 0; dropped() < enough; n++) {
    assert.ok(n < 1_000 + 10 * events, `${n} sent`);
    target.send(numbered(n, SIZE), n % 4 === 0 ? { key: `k${n % 8}` } : undefined);
    if (n % 4 === 3) await taken(hub); // larger stretches would be paced
  }
  await taken(hub);
}

describe('drop', () => {
  overPlaces((venue) => {
    it('of a lasting flood is told about once a second for each reason, in sums', async () => {
      const it = await venue({ overflow: 'dropOldest', limits: LIMITS });
      const { client, stream } = await it.stalled();
      const times = { dropOldest: [], replaced: [] };
      it.hub.on('drop', (_, { reason }) => times[reason]?.push(performance.now()));
      const begun = performance.now();
      while (performance.now() < begun + 2_200) {
        await overrun(it.hub, it.hub.client(client.id), 20);
        await new Promise((resolve) => setTimeout(resolve, 5));
      }
      for (const [reason, list] of Object.entries(times)) {
        assert.ok(list.length >= 2 && list.length <= 3, `${list.length} times ${reason}`);
        for (let i = 1; i < list.length; i++) {
          const ms = list[i] - list[i - 1];
          assert.ok(ms > 900 && ms < 1_800, `${ms} ms between two of ${reason}`);
        }
      }
      // The first tells at once, of little; what came since is told at the end.
      const [first] = it.drops;
      assert.ok(first.events < 100, `${first.events} in the first`);
      stream.resume();
      client.close();
      await once(it.hub, 'disconnect');
      await assertComplete(it);
      for (const drop of it.drops) {
        assert.deepEqual(Object.keys(drop).sort(), ['bytes', 'client', 'events', 'reason']);
      }
    });

    // A client has one timer for all its clocks: the second is looked at in between, and then not for a while.
    for (const heartbeat of [false, 950]) {
      it(`what came since the last is told within about a second, heartbeat ${heartbeat}`, async () => {
        const it = await venue({ overflow: 'dropNewest', limits: LIMITS, heartbeat });
        const { client } = await it.stalled();
        await overrun(it.hub, it.hub.client(client.id), 50);
        await when(() => it.drops.length > 0);
        await overrun(it.hub, it.hub.client(client.id), 50);
        const begun = performance.now();
        const sum = () => counted(it.hub).reduce((total, [, { events }]) => total + events, 0);
        const told = () => it.drops.reduce((total, { events }) => total + events, 0);
        assert.ok(told() < sum(), 'a part of it is yet to be told');
        await when(() => told() === sum());
        assert.ok(performance.now() - begun < 1_600, 'late');
        await assertComplete(it);
      });
    }
  }, TWO);

  overPlaces((venue) => {
    it('tells each client of its own', async () => {
      const it = await venue({ overflow: 'dropOldest', limits: LIMITS });
      const [a, b, c] = [
        await it.stalled({ rooms: 'a' }),
        await it.stalled({ rooms: ['a', 'b'] }),
        await it.connect({ rooms: ['a', 'b'] }),
      ];
      await overrun(it.hub, it.hub.to('a'), 100);
      await overrun(it.hub, it.hub.to('b').except(c.client), 100);
      for (const { client, stream } of [a, b]) {
        stream.resume();
        client.close();
        await once(it.hub, 'disconnect');
      }
      const all = ({ client }) =>
        it.told(client, 'dropOldest').events + it.told(client, 'replaced').events;
      assert.ok(all(a) > 0 && all(b) > all(a) + 90, `${all(a)} and ${all(b)}`);
      await assertComplete(it);
    });

    const ENDS = {
      'the application closes it': ({ client, stream }) => {
        stream.resume();
        client.close();
      },
      'the application closes it for good': ({ client, stream }) => {
        stream.resume();
        client.close({ reconnect: false });
      },
      'the application ends the response': ({ res, stream }) => {
        stream.resume();
        res.end();
      },
      'the application destroys the response': ({ res }) => res.destroy(),
      'the peer leaves': ({ stream }) => stream.close(),
      'the hub closes': ({ hub }) => hub.close({ grace: 0 }),
      'the hub closes, and its reader reads on': ({ hub, stream }) => {
        stream.resume();
        hub.close({ grace: 2_000 });
      },
      'the hub closes, and the peer leaves': ({ hub, stream }) => {
        hub.close({ grace: 2_000 });
        stream.close();
      },
      'it is found stalled': () => {},
    };

    for (const [how, end] of Object.entries(ENDS)) {
      it(`is complete when ${how} right behind an overrun`, async () => {
        const stallTimeout = how === 'it is found stalled' ? 800 : 30_000;
        const limits = { ...LIMITS, stallTimeout };
        const it = await venue({ overflow: 'dropOldest', limits });
        const { client, stream, res } = await it.stalled();
        const target = it.hub.client(client.id);
        await overrun(it.hub, target, 30);
        await when(() => it.drops.length > 0); // from here on it waits for a second
        await overrun(it.hub, target, 30);
        const ended = client.closed ?? once(client, 'close');
        end({ hub: it.hub, client, stream, res });
        await ended;
        await assertComplete(it);
        assert.ok(it.told(client, client.closed).times <= 1);
      });
    }

    const CUTS = {
      'its peer leaves': ({ stream }) => stream.close(),
      'the application destroys the response': ({ res }) => res.destroy(),
      'the hub closes and its peer leaves': ({ hub, stream }) => {
        hub.close({ grace: 2_000 });
        stream.close();
      },
    };
    for (const [how, cut] of Object.entries(CUTS)) {
      it(`is told once of what a closed client could not be written any more because ${how}`, async () => {
        const it = await venue({ limits: { eventBytes: 8 * KIB * KIB } });
        const { client, stream, res } = await it.stalled();
        client.send(numbered(0, 6 * KIB * KIB)); // more than the kernel takes, however busy
        for (let n = 1; n <= 10; n++) client.send(numbered(n, SIZE));
        client.close();
        await taken(it.hub);
        const ended = once(client, 'close');
        cut({ hub: it.hub, stream, res });
        assert.deepEqual(await ended, ['server']);
        await assertComplete(it);
        assert.deepEqual(
          it.drops.map(({ reason, events }) => [reason, events]),
          [['server', 11]],
        );
      });
    }

    it('counts what waited behind a snapshot that was not through when the application closed the client', async () => {
      const it = await venue({ snapshot: () => new Promise(() => {}) });
      const { client, stream } = await it.connect();
      for (let n = 0; n < 3; n++) it.hub.broadcast(numbered(n, SIZE));
      client.close();
      assert.equal(await stream.end(), 'end');
      await assertComplete(it);
      const { events, times } = it.told(client, 'server');
      assert.deepEqual([events, times, stream.events], [3, 1, []]);
    });

    it('counts what waited behind a snapshot when the peer left while it was being closed', async () => {
      const it = await venue({ snapshot: () => new Promise(() => {}) });
      const { client, stream } = await it.stalled();
      client.send(numbered(0, PLUG));
      it.hub.broadcast(numbered(1, SIZE));
      client.close();
      const isForgone = () => it.hub.stats().drops.server !== undefined;
      await when(isForgone);
      stream.close();
      await when(() => client.closed !== null);
      await assertComplete(it);
      assert.ok(it.told(client, 'server').events >= 1);
    });

    it('says nothing of a client that has lost nothing, nor of what a peer that left did not get', async () => {
      const it = await venue({ overflow: 'dropOldest', limits: LIMITS });
      const healthy = await it.connect();
      const leaves = await it.stalled();
      leaves.client.send(numbered(0, PLUG));
      for (let n = 0; n < 20; n++) healthy.client.send(numbered(n, SIZE), { key: `${n}` });
      await healthy.stream.until(({ events }) => events.length === 20);
      leaves.stream.close();
      await when(() => leaves.client.closed !== null);
      healthy.client.close();
      await once(healthy.client, 'close');
      await when(() => it.hub.size === 0);
      assert.deepEqual([it.drops, it.hub.stats().drops], [[], {}]);
    });
  });
});
