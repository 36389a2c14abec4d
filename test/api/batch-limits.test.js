'use strict';

// Target.batch() and the limits: an array of just the size that an event may have, counted in bytes; and what becomes of
// what waits when the hub has no room. The clock is moved by hand.

const assert = require('node:assert/strict');
const { mock } = require('node:test');
const { batches } = require('../js/support/batches');
const { refuses } = require('../js/support/stage');

const DELAY = 1_000;
const NEVER = 60_000;

describe('batch', () => {
  const { reader, arrayOf } = batches();
  afterEach(() => mock.timers.reset());

  describe('and limits.eventBytes', () => {
    const limits = { eventBytes: 100 };
    const AROUND = '[{"data":""}]'.length;
    const COMMA = 1;

    it('an array of exactly that size is not flushed; one byte more flushes what waited', async () => {
      const { stream, batch } = await reader({ delay: NEVER }, { limits });
      const first = 'x'.repeat(30);
      const rest = limits.eventBytes - (AROUND + 30) - COMMA - (AROUND - 2);
      assert.equal(batch.send(first), 1);
      assert.equal(batch.send('y'.repeat(rest + 1)), 1);
      assert.deepEqual(await arrayOf(stream), [{ data: first }]);
      batch.flush();
      assert.deepEqual(await arrayOf(stream), [{ data: 'y'.repeat(rest + 1) }]);

      assert.equal(batch.send(first), 1);
      assert.equal(batch.send('y'.repeat(rest)), 2);
      batch.flush();
      assert.equal(JSON.stringify(await arrayOf(stream)).length, limits.eventBytes);
    });

    it('one that fits exactly alone is taken; one byte more is refused, and what waits stays', async () => {
      const { stream, batch } = await reader({ delay: NEVER }, { limits });
      const most = limits.eventBytes - AROUND;
      assert.equal(batch.send(1), 1);
      const wrong = () => batch.send('x'.repeat(most + 1));
      refuses(wrong, RangeError, 'ERR_FAN_TOO_LARGE', '101 bytes');
      assert.equal(batch.send(2), 2);
      assert.equal(batch.send('x'.repeat(most)), 1);
      batch.flush();
      assert.deepEqual(await arrayOf(stream), [{ data: 1 }, { data: 2 }]);
      assert.deepEqual(await arrayOf(stream), [{ data: 'x'.repeat(most) }]);
    });

    it('bytes are counted, not characters', async () => {
      const { stream, batch } = await reader({ delay: NEVER }, { limits });
      const most = Math.floor((limits.eventBytes - AROUND) / 2);
      assert.equal(batch.send('é'.repeat(most)), 1);
      const wrong = () => batch.send('é'.repeat(most + 1));
      refuses(wrong, RangeError, 'ERR_FAN_TOO_LARGE', 'limits.eventBytes is 100');
      assert.equal(batch.send('é'.repeat(10)), 1);
      assert.deepEqual(await arrayOf(stream), [{ data: 'é'.repeat(most) }]);
    });
  });

  describe('of a full hub', () => {
    const limits = { eventBytes: 4_000, totalBytes: 2 * (4_000 + 16_384) };

    /** No send has room any more until this synchronous stretch is over. @returns how many were sent */
    function fill(hub) {
      let sent = 0;
      for (const size of [4_000, 400, 1]) {
        const more = () => {
          for (; sent < 1_000; sent++) hub.broadcast('x'.repeat(size));
        };
        assert.throws(more, { code: 'ERR_FAN_FULL' });
      }
      return sent;
    }

    async function passed(stream, count) {
      for (let n = 0; n < count; n++) assert.match((await stream.next()).data, /^x+$/);
    }

    it('flush throws, and keeps all', async () => {
      const { hub, stream, batch } = await reader({ delay: NEVER }, { limits });
      batch.send(1);
      batch.send(2);
      const sent = fill(hub);
      refuses(() => batch.flush(), Error, 'ERR_FAN_FULL', '');
      await passed(stream, sent);
      assert.equal(batch.flush().matched, 1);
      assert.deepEqual(await arrayOf(stream), [{ data: 1 }, { data: 2 }]);
    });

    it('a flush by the clock keeps all, and is tried again after `delay`', async () => {
      const { hub, stream, batch } = await reader({ delay: DELAY }, { limits });
      mock.timers.enable({ apis: ['setTimeout'] });
      batch.send(1);
      batch.send(2);
      const sent = fill(hub);
      mock.timers.tick(DELAY);
      assert.equal(hub.stats().events, sent);
      await passed(stream, sent);
      mock.timers.tick(DELAY - 1);
      assert.equal(hub.stats().events, sent);
      mock.timers.tick(1);
      assert.equal(hub.stats().events, sent + 1);
      assert.deepEqual(await arrayOf(stream), [{ data: 1 }, { data: 2 }]);
    });

    it('a flush by `events` throws, that one is not collected, the others stay', async () => {
      const { hub, stream, batch } = await reader({ events: 3, delay: NEVER }, { limits });
      batch.send(1);
      batch.send(2);
      const sent = fill(hub);
      const large = 'y'.repeat(3_900); // one of it fits beside them, two would not
      for (let n = 0; n < 3; n++) refuses(() => batch.send(large), Error, 'ERR_FAN_FULL', '');
      await passed(stream, sent);
      assert.equal(batch.send(large), 0);
      assert.deepEqual(await arrayOf(stream), [{ data: 1 }, { data: 2 }, { data: large }]);
    });

    it('a flush by size throws, that one is not collected, the others stay', async () => {
      const { hub, stream, batch } = await reader({ delay: NEVER }, { limits });
      const large = 'y'.repeat(2_500);
      batch.send(large);
      const sent = fill(hub);
      refuses(() => batch.send(large), Error, 'ERR_FAN_FULL', '');
      await passed(stream, sent);
      assert.equal(batch.send('small'), 2);
      batch.flush();
      assert.deepEqual(await arrayOf(stream), [{ data: large }, { data: 'small' }]);
    });

    it('close does not throw: what was refused goes out after `delay`', async () => {
      const { hub, stream, batch } = await reader({ delay: DELAY }, { limits });
      mock.timers.enable({ apis: ['setTimeout'] });
      batch.send(1);
      const sent = fill(hub);
      batch.close();
      assert.throws(() => batch.send(2), { code: 'ERR_FAN_CLOSED' });
      await passed(stream, sent);
      mock.timers.tick(DELAY);
      assert.deepEqual(await arrayOf(stream), [{ data: 1 }]);
    });
  });
});
