'use strict';

// Events of which only the latest matters: with a `key` a later one takes the place of one that has not begun to leave, and
// nothing that has no key is lost for it.

const assert = require('node:assert/strict');
const { numbered, numbersOf, overPlaces, taken, upTo } = require('../js/support/venue');
const { when } = require('../js/support/stage');

const KIB = 1 << 10;
const BURST = 32;
const QUOTE = 'quote';

/** What is still to be written, of all clients. */
function waiting(hub) {
  const { deliveries, framesWritten, drops } = hub.stats();
  return deliveries - framesWritten - (drops.replaced?.events ?? 0);
}

/** Keeps the loop in step: large stretches would be paced. */
async function inStep(hub, count, send) {
  for (let i = 0; i < count; i++) {
    send(i);
    if (i % BURST === BURST - 1) await taken(hub);
  }
  await taken(hub);
}

/** The value of each key that was seen last. Of one key they may only rise. */
function lastOf(events) {
  const last = new Map();
  for (const { data } of events) {
    const [key, value] = JSON.parse(data);
    assert.ok(!(last.get(key) >= value), `${key}: ${value} behind ${last.get(key)}`);
    last.set(key, value);
  }
  return last;
}

describe('key', () => {
  overPlaces((venue) => {
    for (const overflow of ['disconnect', 'dropOldest', 'dropNewest']) {
      it(`${overflow}: a stalled reader gets the last value of each key and every event without one, in order`, async () => {
        const it = await venue({ overflow, limits: { queueBytes: 1024 * KIB } });
        const slow = await it.stalled();
        const quick = await it.connect();
        const keys = 50;
        const rounds = 100;
        let unkeyed = 0;
        // 5 MB with a key, 100 KB without.
        await inStep(it.hub, keys * rounds, (i) => {
          const key = `k${i % keys}`;
          const data = JSON.stringify([key, Math.floor(i / keys), 'x'.repeat(1_000)]);
          it.hub.broadcast(data, { event: QUOTE, key });
          if (i % keys === 0) it.hub.broadcast(numbered(unkeyed++, KIB));
        });
        const sent = keys * rounds + unkeyed;
        slow.stream.resume();
        for (const { client } of [slow, quick]) client.close({ event: 'end', data: 'end' });
        for (const { client, stream } of [slow, quick]) {
          assert.equal(await stream.end(), 'end');
          const events = stream.events.filter(({ event }) => event !== 'end');
          const quotes = events.filter(({ event }) => event === QUOTE);
          const others = events.filter(({ event }) => event !== QUOTE);
          assert.deepEqual(numbersOf(others), upTo(unkeyed));
          const last = lastOf(quotes);
          assert.equal(last.size, keys);
          for (const [key, value] of last) assert.equal(value, rounds - 1, key);
          assert.equal(events.length + it.told(client, 'replaced').events, sent);
        }
        const replaced = it.told(slow.client, 'replaced');
        assert.ok(replaced.events > 0.8 * keys * rounds, `${replaced.events} replaced`);
        const both = replaced.events + it.told(quick.client, 'replaced').events;
        const { drops } = it.hub.stats();
        assert.deepEqual(Object.keys(drops), ['replaced']);
        assert.equal(drops.replaced.events, both);
      });
    }

    it('of 5,000 symbols at most 5,000 frames wait for a stalled reader, and one has begun to leave', async () => {
      const it = await venue({ limits: { queueBytes: 8 << 20 } });
      const slow = await it.stalled();
      const symbols = 5_000;
      const rounds = 4;
      const before = waiting(it.hub);
      let most = 0;
      const value = (round) => `${round}`.padEnd(500, 'v');
      for (let round = 0; round < rounds; round++) {
        await inStep(it.hub, symbols, (i) => {
          const data = JSON.stringify([`s${i}`, round, value(round)]);
          it.hub.broadcast(data, { key: `s${i}` });
        });
        most = Math.max(most, waiting(it.hub) - before);
      }
      // One more has begun to leave: that is not replaced.
      assert.ok(most <= symbols + 1 && most > symbols * 0.8, `${most} frames wait`);
      assert.ok(slow.client.bufferedBytes < symbols * 700, `${slow.client.bufferedBytes} bytes`);
      slow.stream.resume();
      slow.client.close();
      assert.equal(await slow.stream.end(), 'end');
      const last = lastOf(slow.stream.events);
      assert.equal(last.size, symbols);
      for (const [key, round] of last) assert.equal(round, rounds - 1, key);
      const { events } = it.told(slow.client, 'replaced');
      assert.equal(slow.stream.events.length + events, symbols * rounds);
      assert.equal(it.hub.stats().drops.replaced.events, events);
    });

    it('a cut behind a keyed event loses nothing that has no key', async () => {
      const it = await venue({ history: { events: 1_000 } });
      const opts = { rooms: 'r', user: 'u' };
      let at = 0;
      let turns = 0;
      const send = async () => {
        for (let turn = 0; turn < 4; turn++) {
          it.hub.to('r').send(at++);
          it.hub.to('r').send('tick', { key: 'clock', event: QUOTE });
          it.hub.user('u').send(at++);
          it.hub.user('u').send('turn', { key: `${turns++}`, event: QUOTE });
          it.hub.to('r').send(at++);
          await taken(it.hub);
        }
      };
      const kept = [];
      let lastEventId;
      for (let cut = 0; cut < 8; cut++) {
        const { client, stream } = await it.connect(opts, { lastEventId });
        await send();
        await stream.until(({ events }) => Number(events.at(-1)?.data) === at - 1);
        // What came behind a keyed event was on its way when the connection was cut.
        const quotes = stream.events.flatMap(({ event }, i) => (event === QUOTE ? [i] : []));
        const got = stream.events.slice(0, quotes[cut % quotes.length] + 1);
        for (const i of quotes) assert.equal(stream.events[i].id, undefined);
        kept.push(...got.filter(({ event }) => event !== QUOTE));
        lastEventId = kept.at(-1).id;
        stream.close();
        await when(() => client.closed !== null);
        await send();
      }
      const { client, stream } = await it.connect(opts, { lastEventId });
      client.close({ data: 'end', event: 'end' });
      assert.equal(await stream.end(), 'end');
      kept.push(...stream.events.filter(({ event }) => event !== 'end'));
      assert.deepEqual(numbersOf(kept), upTo(at));
    });

    it('keys of different names, rooms and senders: one name, one place', async () => {
      const it = await venue();
      const { client, stream } = await it.stalled({ rooms: ['a', 'b'] });
      client.send(numbered(0, 900 * KIB)); // more than the kernel takes in
      await taken(it.hub);
      it.hub.to('a').send('a1', { key: 'x' });
      it.hub.to('a').send('between');
      it.hub.to('b').send('b1', { key: 'y' });
      it.hub.to('b').send('b2', { key: 'x', event: 'other' });
      client.send('c1', { key: 'y' });
      it.hub.broadcast('last', { key: 'X' });
      await taken(it.hub);
      stream.resume();
      client.close();
      assert.equal(await stream.end(), 'end');
      assert.deepEqual(
        stream.events.slice(1).map(({ event, data }) => [event, data]),
        [
          ['other', 'b2'],
          [undefined, 'between'],
          [undefined, 'c1'],
          [undefined, 'last'],
        ],
      );
      assert.equal(it.told(client, 'replaced').events, 2);
    });
  });
});
