'use strict';

// A reader that does not read, under each policy: what it sees once it reads on, what is told, and that the sums are right.

const assert = require('node:assert/strict');
const { once } = require('node:events');
const { numbered, numbersOf, overPlaces, taken, upTo } = require('../js/support/venue');
const { when } = require('../js/support/stage');

const KIB = 1 << 10;
const QUEUE = 256 * KIB;
const SIZE = KIB;
const SENT = 3_000; // far more than queue, kernel and Node together hold
const IN_QUEUE = Math.floor(QUEUE / (SIZE + 32)); // at least so many fit, with what frames them
const BURST = 32;

/** Broadcasts the numbers `from` to `to`, as fast as the loop takes them in. */
async function flood(hub, to, from = 0) {
  for (let n = from; n < to; n++) {
    hub.broadcast(numbered(n, SIZE));
    if (n % BURST === BURST - 1) await taken(hub);
  }
  await taken(hub);
}

/** How many count up from the first on. */
function runLength(numbers) {
  let length = 1;
  while (length < numbers.length && numbers[length] === numbers[length - 1] + 1) length++;
  return length;
}

describe('overflow', () => {
  overPlaces((venue) => {
    /** A stalled reader and one that reads, after a flood that the latter has got in whole. */
    async function flooded(overflow) {
      const it = await venue({ overflow, limits: { queueBytes: QUEUE } });
      it.slow = await it.stalled();
      it.quick = await it.connect();
      await flood(it.hub, SENT);
      await it.quick.stream.until(({ events }) => events.length === SENT);
      assert.deepEqual(numbersOf(it.quick.stream.events), upTo(SENT));
      return it;
    }

    /** Reads on up to an event that is sent now. @returns {Promise<number[]>} what came before it */
    async function readOn({ hub, slow: { stream } }) {
      stream.resume();
      // Without room it would be dropped like the others.
      await when(() => hub.stats().bufferedBytes < QUEUE / 2, 'room');
      hub.broadcast(numbered(SENT, SIZE));
      await stream.until(({ events }) => Number.parseInt(events.at(-1)?.data, 10) === SENT);
      return numbersOf(stream.events).slice(0, -1);
    }

    /** What the slow one got and what was dropped is what was sent; stats() and `drop` say the same. */
    async function assertSums(it, got, reason) {
      const { hub, slow } = it;
      slow.client.close(); // so that all is told
      await once(hub, 'disconnect');
      const { events, bytes } = it.told(slow.client, reason);
      assert.equal(got + events, SENT);
      assert.deepEqual(hub.stats().drops, { [reason]: { events, bytes } });
      assert.ok(bytes >= events * SIZE && bytes < events * (SIZE + 32), `${bytes} bytes`);
      assert.equal(it.drops.filter(({ client }) => client !== slow.client).length, 0);
    }

    it('dropOldest: a prefix, which was on its way, then the newest', async () => {
      const it = await flooded('dropOldest');
      const got = await readOn(it);
      const prefix = runLength(got);
      const newest = got.length - prefix;
      assert.ok(newest >= IN_QUEUE, `the newest ${newest}`);
      assert.deepEqual(got, [...upTo(prefix), ...upTo(SENT).slice(-newest)]);
      await assertSums(it, got.length, 'dropOldest');
    });

    it('dropNewest: the oldest', async () => {
      const it = await flooded('dropNewest');
      const got = await readOn(it);
      assert.ok(got.length >= IN_QUEUE && got.length < SENT, `${got.length} arrived`);
      assert.deepEqual(got, upTo(got.length));
      await assertSums(it, got.length, 'dropNewest');
    });

    for (const overflow of ['dropOldest', 'dropNewest']) {
      it(`${overflow}: a reader that has read on is a member as before, and loses nothing more`, async () => {
        const it = await flooded(overflow);
        await readOn(it);
        const { events } = it.slow.stream;
        const had = events.length;
        for (let n = SENT + 1; n < SENT + 1_000; n += 50) {
          await flood(it.hub, n + 50, n);
          await it.slow.stream.until(() => events.length === had + n + 49 - SENT);
        }
        assert.deepEqual(
          numbersOf(events.slice(had)),
          upTo(1_000).map((i) => SENT + 1 + i),
        );
        assert.equal(it.slow.client.closed, null);
      });
    }

    for (const overflow of ['dropOldest', 'dropNewest']) {
      it(`${overflow} holds for private sends, too`, async () => {
        const it = await venue({ overflow, limits: { queueBytes: QUEUE } });
        const { client, stream } = await it.stalled();
        let rooms = 0; // how often send() said that there is room
        for (let n = 0; n < SENT; n++) {
          rooms += client.send(numbered(n, SIZE));
          if (n % BURST === BURST - 1) await taken(it.hub);
        }
        assert.ok(rooms < SENT / 2, `${rooms} times true`);
        stream.resume();
        assert.equal(await client.drain(), true);
        client.close({ data: numbered(SENT, SIZE) });
        assert.equal(await stream.end(), 'end');
        const got = numbersOf(stream.events);
        assert.equal(got.pop(), SENT);
        assert.equal(got.length + it.told(client, overflow).events, SENT);
        const kept = overflow === 'dropOldest' ? upTo(SENT).slice(-IN_QUEUE) : upTo(IN_QUEUE);
        const seen = overflow === 'dropOldest' ? got.slice(-IN_QUEUE) : got.slice(0, IN_QUEUE);
        assert.deepEqual(seen, kept);
      });

      it(`${overflow}: one event always fits, whatever its size`, async () => {
        const it = await venue({ overflow, limits: { queueBytes: 64 * KIB } });
        const { client, stream } = await it.stalled();
        const size = 900 * KIB; // more than the kernel takes in for a reader that does not read
        for (let n = 0; n < 5; n++) {
          client.send(numbered(n, size));
          await taken(it.hub);
        }
        stream.resume();
        client.close();
        assert.equal(await stream.end(), 'end');
        // The first had been begun.
        const expected = overflow === 'dropOldest' ? [0, 4] : [0];
        assert.deepEqual(numbersOf(stream.events), expected);
        for (const { data } of stream.events) assert.equal(data.length, size);
        assert.equal(it.told(client, overflow).events, 5 - expected.length);
      });

      it(`${overflow}: a reader that takes nothing for stallTimeout ends all the same`, async () => {
        const it = await venue({ overflow, limits: { queueBytes: QUEUE, stallTimeout: 300 } });
        const { client } = await it.stalled();
        const ended = once(client, 'close');
        await flood(it.hub, SENT);
        assert.deepEqual(await ended, ['stalled']);
        const { events } = it.told(client, overflow);
        assert.ok(events > 0);
        assert.equal(it.hub.stats().drops[overflow].events, events);
      });
    }

    it('disconnect: a prefix, then the end', async () => {
      const it = await venue({ limits: { queueBytes: QUEUE } });
      const slow = await it.stalled();
      const quick = await it.connect();
      const ended = once(it.hub, 'disconnect');
      await flood(it.hub, SENT);
      assert.deepEqual(await ended, [slow.client, 'slow']);
      await quick.stream.until(({ events }) => events.length === SENT);
      assert.deepEqual(numbersOf(quick.stream.events), upTo(SENT));
      const told = it.told(slow.client, 'slow');
      assert.equal(told.times, 1);
      assert.ok(told.bytes > QUEUE, `${told.bytes} bytes dropped`);
      const { drops, deliveries } = it.hub.stats();
      assert.deepEqual(drops, { slow: { events: told.events, bytes: told.bytes } });

      slow.stream.resume();
      assert.notEqual(await slow.stream.end(), 'end');
      const got = numbersOf(slow.stream.events);
      assert.deepEqual(got, upTo(got.length));
      // What it was given: without both openings, and what the other was given.
      const given = deliveries - 2 - SENT;
      if (slow.client.transport === 'fd') assert.equal(got.length + told.events, given);
      else assert.ok(got.length + told.events <= given, 'what was on its way is cut off');
      const lost = given - got.length - told.events;
      assert.ok(lost < 256, `and is bounded: ${lost}`); // relay, Node's stream, TLS, the kernel
    });
  });
});
