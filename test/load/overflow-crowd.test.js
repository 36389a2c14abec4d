'use strict';

// One stalled client among 20, for a second: what each policy promises of it, and that the others neither lose an event nor cost a
// system call more. (test/soak/stalled.test.js: 200 of them, and memory.)

const assert = require('node:assert/strict');
const { once } = require('node:events');
const http = require('node:http');
const { when } = require('../js/support/stage');
const { POLICIES, keyOf } = require('../js/support/stalled');
const { PLACES, numbered, numbersOf, overPlaces, taken } = require('../js/support/venue');

const HEALTHY = 19;
const SIZE = 4_096;
const BURST = 8;
const EVENTS = 1_504;
const QUEUE = 1 << 20;
const FIT = Math.floor(QUEUE / (SIZE + 128)) - 1;
const MORE = 1.02; // writes of all, as a ratio: the stalled one's own until nothing is taken any more

/** A reader that counts numbered events, which must count up from 0, and keeps none of them. */
async function counting(url) {
  const [res] = await once(http.get(url, { agent: false }), 'response');
  const it = { events: 0, wrong: 0, isOpen: true };
  let rest = '';
  res.setEncoding('latin1');
  res.on('data', (text) => {
    const blocks = (rest + text).split('\n\n');
    rest = blocks.pop();
    for (const block of blocks) {
      const data = block.startsWith(':\n') ? block.slice(2) : block; // it opens with a comment
      if (!data.startsWith('data: ')) continue;
      if (Number.parseInt(data.slice(6), 10) !== it.events++) it.wrong++;
      if (data.length !== 6 + SIZE) it.wrong++;
    }
  });
  res.on('close', () => {
    it.isOpen = false;
  });
  return it;
}

describe('one stalled client among 20', () => {
  overPlaces(
    (venue, { title }) => {
      /** Sends EVENTS to all, in stretches of BURST, each when the healthy ones have got the one before. */
      async function flooded(it, group, keyed) {
        const { hub } = it;
        const before = hub.stats();
        for (let n = 0; n < EVENTS; ) {
          for (let i = 0; i < BURST; i++, n++) {
            hub.broadcast(numbered(n, SIZE), { key: keyed ? keyOf(n) : undefined });
          }
          await hub.to('healthy').deliver('through', { event: 'through' });
        }
        await when(() => group.every(({ events }) => events === EVENTS));
        for (const { wrong, isOpen } of group) assert.deepEqual([wrong, isOpen], [0, true]);
        await taken(hub);
        return hub.stats().writes - before.writes;
      }

      async function crowd(options) {
        const it = await venue({ ...options, limits: { queueBytes: QUEUE } });
        const slow = await it.stalled();
        const group = Array.from({ length: HEALTHY }, () => counting(`${it.url}/healthy`));
        return { it, slow, group: await Promise.all(group) };
      }

      for (const [name, { overflow, keyed, check }] of Object.entries(POLICIES)) {
        it(`${name}: the others get all, for one write a stretch, and it what the policy says`, async () => {
          const { it, slow, group } = await crowd({ overflow });
          const isCut = name === 'disconnect';
          const ended = isCut ? once(slow.client, 'close') : null;
          const writes = await flooded(it, group, keyed);
          if (title === 'fd') {
            const least = (HEALTHY * EVENTS) / BURST;
            assert.ok(writes <= least * MORE, `${writes} calls, not ${least}`);
          }
          const { peakBytes, bufferedBytes } = it.hub.stats();
          const room = QUEUE * 1.25;
          assert.ok(
            peakBytes < room && bufferedBytes < room,
            `${peakBytes}, ${bufferedBytes} bytes`,
          );

          if (isCut) assert.deepEqual(await ended, ['slow']);
          else slow.client.close();
          slow.stream.resume();
          assert.equal((await slow.stream.end()) === 'end', !isCut);
          const got = numbersOf(slow.stream.events);
          check(got, 0, EVENTS - 1, FIT);
          const reason = isCut ? 'slow' : keyed ? 'replaced' : overflow;
          const { events, bytes } = it.told(slow.client, reason);
          assert.deepEqual(it.hub.stats().drops, { [reason]: { events, bytes } });
          if (isCut) assert.ok(got.length + events < EVENTS && bytes > QUEUE, `${events} events`);
          else assert.equal(got.length + events, EVENTS);
        });
      }
    },
    PLACES.slice(0, 2),
  );
});
