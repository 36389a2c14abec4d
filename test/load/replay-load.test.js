'use strict';

// Many clients that have missed much, at once: each gets it in order and once, memory does not follow, the others are in time; and
// whoever is slower than the history is long ends as slow, behind a prefix. (test/soak/replay.test.js: 100,000 events, times.)

const assert = require('node:assert/strict');
const { once } = require('node:events');
const { when } = require('../js/support/stage');
const { PLACES, numbered, numbersOf, overPlaces, taken } = require('../js/support/venue');

const MIB = 1 << 20;
const SIZE = 1_000;

describe('replay under load', () => {
  overPlaces(
    (venue) => {
      /** @returns {Promise<{it: object, id: (n: number) => string}>} a hub that keeps `events`, and the id before event `n` */
      async function kept(options, count) {
        const it = await venue(options);
        const first = await it.hub.to('r').send('first').accepted;
        const send = (n) => it.hub.to('r').send(numbered(n, SIZE));
        for (let n = 0; n < count; n++) {
          send(n);
          if (n % 500 === 499) await taken(it.hub);
        }
        await taken(it.hub);
        const id = (n) => `${first.slice(0, -1)}${n + 1}`;
        return { it, id, send };
      }

      /** No id was left out or came twice, and each has its number. */
      function assertWhole(events, from, id) {
        for (const [i, event] of events.entries()) assert.equal(event.id, id(from + i + 1));
        assert.deepEqual(
          numbersOf(events),
          events.map((_, i) => from + i),
        );
      }

      it('20 clients get 3,000 events each, from cursors of their own, and what is sent meanwhile; the queues stay short', async () => {
        const count = 3_000;
        const more = 200;
        const { it, id, send } = await kept({ history: { events: 2 * count } }, count);
        const listener = await it.connect({ rooms: 'r' });
        const before = it.hub.stats();
        const clients = await Promise.all(
          Array.from({ length: 20 }, async (_, i) => {
            const lastEventId = id(i * 10);
            const connected = await it.connect({ rooms: 'r' }, { lastEventId });
            return { ...connected, from: i * 10 };
          }),
        );
        let most = 0;
        let late = 0;
        for (let n = count; n < count + more; n++) {
          const sent = performance.now();
          send(n);
          const { data } = await listener.stream.next();
          late = Math.max(late, performance.now() - sent);
          assert.equal(Number.parseInt(data, 10), n);
          most = Math.max(most, it.hub.stats().bufferedBytes);
        }
        for (const { stream, from } of clients) {
          await stream.until(({ events }) => events.length >= count + more - from, 10_000);
          assertWhole(stream.events, from, id);
        }
        const { replays, resets, eventsReplayed, drops } = it.hub.stats();
        assert.deepEqual([replays, resets, drops], [20, 0, {}]);
        const expected = clients.reduce((sum, { from }) => sum + count - from, 0);
        assert.ok(eventsReplayed >= expected, `${eventsReplayed} of ${expected}`);
        // They hold what the history holds anyway.
        assert.ok(most - before.bufferedBytes < MIB, `${most - before.bufferedBytes} bytes more`);
        assert.ok(late < 1_000, `${late} ms`); // all of this process is between the two
      });

      it('a history too short for the slowest: that one ends as slow behind a prefix, nobody has a hole', async () => {
        const count = 4_000;
        const { it, id, send } = await kept({ history: { events: count } }, count - 1);
        const slow = await it.stalled({ rooms: 'r' }, { lastEventId: id(0) });
        const quick = await Promise.all(
          Array.from({ length: 5 }, () => it.connect({ rooms: 'r' }, { lastEventId: id(0) })),
        );
        const live = await it.connect({ rooms: 'r' });
        const ended = once(slow.client, 'close');
        let sent = count - 1;
        const caughtUp = ({ stream }) => stream.until(({ events }) => events.length === sent);
        await Promise.all(quick.map(caughtUp));
        // Until the history has let go of all that it had.
        while (sent < 2 * count) {
          for (let i = 0; i < 100; i++) send(sent++);
          await Promise.all(quick.map(caughtUp));
        }
        slow.stream.resume();
        assert.deepEqual(await ended, ['slow']);
        assert.notEqual(await slow.stream.end(), 'end');
        const got = slow.stream.events;
        assert.ok(got.length > 0 && got.length < count, `${got.length} arrived`);
        assertWhole(got, 0, id);
        for (const { stream, client } of quick) {
          assertWhole(stream.events, 0, id);
          assert.equal(client.closed, null);
        }
        assertWhole(live.stream.events, count - 1, id);

        // It comes back, and is told that what it missed is gone: once, with a new cursor.
        const { stream } = await it.connect({ rooms: 'r' }, { lastEventId: got.at(-1).id });
        const { event, data, id: cursor } = await stream.next();
        assert.deepEqual([event, data, cursor], ['fanline:reset', 'expired', id(sent)]);
        send(sent++);
        assert.equal((await stream.next()).id, id(sent));
      });

      it('a stalled reader that has much to catch up with holds no memory, and catches up when it reads on', async () => {
        const count = 3_000;
        const { it, id, send } = await kept({ history: { events: 2 * count } }, count);
        const before = it.hub.stats();
        const { client, stream } = await it.stalled({ rooms: 'r' }, { lastEventId: id(0) });
        for (let n = count; n < 1.5 * count; n++) {
          send(n);
          if (n % 100 === 99) await taken(it.hub);
        }
        await taken(it.hub);
        const { bufferedBytes, historyBytes } = it.hub.stats();
        const own = bufferedBytes - before.bufferedBytes - (historyBytes - before.historyBytes);
        assert.ok(own < 64 << 10, `${own} bytes beside the history`);
        assert.ok(client.bufferedBytes < 2 * MIB, `${client.bufferedBytes} bytes wait`);
        stream.resume();
        await stream.until(({ events }) => events.length === 1.5 * count, 10_000);
        assertWhole(stream.events, 0, id);
        await when(() => client.bufferedBytes === 0);
        assert.deepEqual([client.closed, it.drops], [null, []]);
      });
    },
    PLACES.slice(0, 2),
  );
});
