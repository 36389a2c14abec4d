'use strict';

// Target.batch(): what is collected arrives as one event, a JSON array, in order; when it is flushed, and what a full or
// closed hub does with it. Over http with real readers; the clock is moved by hand where a moment matters.

const assert = require('node:assert/strict');
const { once } = require('node:events');
const { mock } = require('node:test');
const { EventSource } = require('eventsource');
const express = require('express');
const { createHub } = require('fanline');
const { batches } = require('../js/support/batches');
const { run } = require('../js/support/child');
const { serve } = require('../js/support/serve');
const { refuses } = require('../js/support/stage');

const DELAY = 1_000;
const NEVER = 60_000;

describe('batch', () => {
  const { start, reader, arrayOf } = batches();
  afterEach(() => mock.timers.reset());

  describe('delivers', () => {
    it('one event: an array in the order of the calls, with names where given', async () => {
      const { hub, stream, batch } = await reader();
      batch.send({ price: 1 }, { event: 'tick' });
      batch.send('text');
      batch.send(null, { event: undefined });
      batch.send([1, 'é\n'], { event: 'é "x"' });
      assert.equal(batch.flush().matched, 1);
      hub.to('r').send('end');
      const { event, data } = await stream.next();
      assert.equal(event, 'batch');
      const items = [
        '{"event":"tick","data":{"price":1}}',
        '{"data":"text"}',
        '{"data":null}',
        String.raw`{"event":"é \"x\"","data":[1,"é\n"]}`,
      ];
      assert.equal(data, `[${items}]`);
      assert.equal((await stream.next()).data, 'end');
    });

    it('under the name it was given', async () => {
      const { stream, batch } = await reader({ event: 'ticks' });
      batch.send(1);
      batch.flush();
      assert.deepEqual(await arrayOf(stream, 'ticks'), [{ data: 1 }]);
    });

    it('data as it was when it was sent', async () => {
      const { stream, batch } = await reader();
      const state = { count: 1 };
      batch.send(state);
      state.count = 2;
      batch.send(state);
      batch.flush();
      assert.deepEqual(await arrayOf(stream), [{ data: { count: 1 } }, { data: { count: 2 } }]);
    });

    it('JSON, whatever the hub’s serialize is', async () => {
      const { stream, batch } = await reader({}, { serialize: () => assert.fail('not asked') });
      batch.send({ a: 1 });
      batch.flush();
      assert.deepEqual(await arrayOf(stream), [{ data: { a: 1 } }]);
    });

    it('to whoever is addressed at the flush', async () => {
      const { hub, stage, stream: leaver, client, batch } = await reader();
      const { stream: comer, client: later } = await stage.connect();
      batch.send('for whom?');
      client.leave('r');
      later.join('r');
      assert.equal(batch.flush().matched, 1);
      hub.broadcast('end');
      assert.deepEqual(await arrayOf(comer), [{ data: 'for whom?' }]);
      assert.equal((await leaver.next()).data, 'end');
    });

    it('each batch of a target its own', async () => {
      const { hub, stream, batch } = await reader();
      const other = hub.except([]).batch();
      batch.send(1);
      other.send(2);
      other.flush();
      batch.flush();
      assert.deepEqual(await arrayOf(stream), [{ data: 2 }]);
      assert.deepEqual(await arrayOf(stream), [{ data: 1 }]);
    });

    it('with one call into C, however many it holds', async () => {
      const { hub, stream, batch } = await reader();
      await stream.until(({ text }) => text.length > 0);
      const before = hub.stats();
      for (let n = 0; n < 100; n++) batch.send(n);
      assert.equal((await arrayOf(stream)).length, 100);
      const after = hub.stats();
      assert.equal(after.crossings - before.crossings, 1);
      assert.equal(after.events - before.events, 1);
    });

    it('from Express routes to EventSource', async () => {
      const hub = createHub({ retry: 10 });
      const batch = hub.to('ticks').batch({ delay: 5 });
      const app = express();
      app.get('/events', hub.handler({ rooms: 'ticks' }));
      app.post('/ticks/:symbol', express.json(), (req, res) => {
        res.json({ waiting: batch.send(req.body, { event: req.params.symbol }) });
      });
      const server = await serve(app);
      const source = new EventSource(`${server.url}/events`);
      await once(source, 'open');
      const seen = [];
      const all = new Promise((resolve) => {
        source.addEventListener('batch', ({ data }) => {
          seen.push(...JSON.parse(data));
          if (seen.length === 3) resolve();
        });
      });
      for (const [i, symbol] of ['a', 'b', 'c'].entries()) {
        const answer = await fetch(`${server.url}/ticks/${symbol}`, {
          method: 'POST',
          headers: { 'Content-Type': 'application/json' },
          body: JSON.stringify({ price: i }),
        });
        assert.ok((await answer.json()).waiting >= 1);
      }
      await all;
      assert.deepEqual(
        seen,
        ['a', 'b', 'c'].map((event, price) => ({ event, data: { price } })),
      );
      source.close();
      await hub.close({ grace: 0 });
      await server.close();
    });
  });

  describe('is flushed', () => {
    it('at `events`: send answers how many wait, and 0 when it has flushed', async () => {
      const { stream, batch } = await reader({ events: 3, delay: NEVER });
      const waiting = Array.from({ length: 7 }, (_, n) => batch.send(n));
      assert.deepEqual(waiting, [1, 2, 0, 1, 2, 0, 1]);
      assert.deepEqual(await arrayOf(stream), [{ data: 0 }, { data: 1 }, { data: 2 }]);
      assert.deepEqual(await arrayOf(stream), [{ data: 3 }, { data: 4 }, { data: 5 }]);
      assert.equal(batch.flush().matched, 1);
      assert.deepEqual(await arrayOf(stream), [{ data: 6 }]);
    });

    it('at once with `events: 1`', async () => {
      const { stream, batch } = await reader({ events: 1, delay: NEVER });
      assert.equal(batch.send('x'), 0);
      assert.deepEqual(await arrayOf(stream), [{ data: 'x' }]);
    });

    it('by itself after `delay`', async () => {
      const { stream, batch } = await reader({ delay: 30 });
      const begun = performance.now();
      batch.send('x');
      assert.deepEqual(await arrayOf(stream), [{ data: 'x' }]);
      const took = performance.now() - begun;
      assert.ok(took >= 28, `${took} ms`);
    });

    it('`delay` after the first that waits, which later ones do not put off', async () => {
      const { hub, stream, batch } = await reader({ delay: DELAY, events: Infinity });
      mock.timers.enable({ apis: ['setTimeout'] });
      for (const round of [1, 2]) {
        batch.send(round);
        mock.timers.tick(DELAY - 1);
        batch.send(-round);
        assert.equal(hub.stats().events, round - 1);
        mock.timers.tick(1);
        assert.equal(hub.stats().events, round);
      }
      mock.timers.tick(10 * DELAY);
      assert.equal(hub.stats().events, 2, 'nothing waits, nothing is sent');
      assert.deepEqual(await arrayOf(stream), [{ data: 1 }, { data: -1 }]);
      assert.deepEqual(await arrayOf(stream), [{ data: 2 }, { data: -2 }]);
    });

    it('with a delay that begins anew after another flush', async () => {
      const { hub, batch } = await reader({ delay: DELAY });
      mock.timers.enable({ apis: ['setTimeout'] });
      batch.send(1);
      mock.timers.tick(DELAY - 1);
      batch.flush();
      batch.send(2);
      mock.timers.tick(DELAY - 1);
      assert.equal(hub.stats().events, 1);
      mock.timers.tick(1);
      assert.equal(hub.stats().events, 2);
    });

    it('by flush, which answers null when nothing waits', async () => {
      const { batch } = await reader();
      assert.equal(batch.flush(), null);
      batch.send(1);
      assert.equal(batch.flush().matched, 1);
      assert.equal(batch.flush(), null);
    });

    it('when hub.close begins, before any stream ends', async () => {
      const { hub, stream, batch } = await reader({ delay: NEVER });
      batch.send('last');
      const closed = hub.close({ grace: 50 });
      assert.deepEqual(await arrayOf(stream), [{ data: 'last' }]);
      assert.deepEqual(await closed, { ended: 1, cut: 0 });
      assert.equal(await stream.end(), 'end');
    });
  });

  describe('that is closed', () => {
    it('has flushed, refuses sends, and may be closed again', async () => {
      const { hub, stream, batch } = await reader({ delay: NEVER });
      batch.send(1);
      batch.close();
      batch.close();
      refuses(() => batch.send(2), Error, 'ERR_FAN_CLOSED', 'batch');
      assert.equal(batch.flush(), null);
      hub.broadcast('end');
      assert.deepEqual(await arrayOf(stream), [{ data: 1 }]);
      assert.equal((await stream.next()).data, 'end');
    });

    it('by the data’s own toJSON takes that data no more', async () => {
      const { hub, batch } = await reader({ delay: NEVER });
      const closing = { toJSON: () => batch.close() ?? 'x' };
      refuses(() => batch.send(closing), Error, 'ERR_FAN_CLOSED', 'batch');
      assert.equal(hub.stats().events, 0);
    });

    it('with its hub gives up silently what waits, and refuses sends', async () => {
      const { hub, stream, batch } = await reader({ delay: NEVER });
      const closed = hub.close({ grace: 20 });
      assert.equal(batch.send('during'), 1); // sends work until the last client is gone
      await closed;
      assert.equal(batch.flush(), null);
      refuses(() => batch.send('after'), Error, 'ERR_FAN_CLOSED', 'hub');
      batch.close();
      assert.equal(await stream.end(), 'end');
      assert.deepEqual(stream.events, []);
    });

    it('keeps no process: neither does one in which something waits', async () => {
      const { code, out, err } = await run(
        `const hub = createHub();
        console.log(hub.to('r').batch({ delay: 60_000 }).send('x'));`,
        { ms: 8_000 },
      );
      assert.deepEqual([code, out, err], [0, '1\n', '']);
    });
  });

  describe('refuses', () => {
    const BAD_NAMES = ['', 'a\nb', 'a\rb', 'a\0b', 'fanline:end', 5, null, ['x'], Symbol('x')];
    const LONG = 'é'.repeat(2_049);

    it('bad options, by name', async () => {
      const { hub } = await start();
      const to = hub.to('r');
      for (const opts of [null, 5, 'x', [], new Map()]) {
        refuses(() => to.batch(opts), TypeError, 'ERR_FAN_ARG', '"opts"');
      }
      refuses(() => to.batch({ dely: 5 }), TypeError, 'ERR_FAN_ARG', 'Did you mean "opts.delay"');
      for (const delay of ['5', null, true]) {
        refuses(() => to.batch({ delay }), TypeError, 'ERR_FAN_ARG', '"opts.delay"');
      }
      for (const delay of [-1, 1.5, NaN, Infinity, 2 ** 31]) {
        refuses(() => to.batch({ delay }), RangeError, 'ERR_FAN_RANGE', '"opts.delay"');
      }
      for (const events of ['5', null, true]) {
        refuses(() => to.batch({ events }), TypeError, 'ERR_FAN_ARG', '"opts.events"');
      }
      for (const events of [0, -1, 1.5, NaN, -Infinity]) {
        refuses(() => to.batch({ events }), RangeError, 'ERR_FAN_RANGE', '"opts.events"');
      }
      for (const event of BAD_NAMES) {
        refuses(() => to.batch({ event }), TypeError, 'ERR_FAN_ARG', '"opts.event"');
      }
      refuses(() => to.batch({ event: LONG }), RangeError, 'ERR_FAN_TOO_LARGE', '4098 bytes');
    });

    it('bad names and data, collecting nothing', async () => {
      const { stream, batch } = await reader({ delay: NEVER });
      const circular = {};
      circular.self = circular;
      assert.equal(batch.send('before'), 1);
      for (const opts of [null, 5, 'x', []]) {
        refuses(() => batch.send(1, opts), TypeError, 'ERR_FAN_ARG', '"opts"');
      }
      for (const key of ['id', 'retry', 'key', 'history', 'evnt']) {
        refuses(() => batch.send(1, { [key]: 'x' }), TypeError, 'ERR_FAN_ARG', `"opts.${key}"`);
      }
      for (const event of BAD_NAMES) {
        refuses(() => batch.send(1, { event }), TypeError, 'ERR_FAN_ARG', '"opts.event"');
      }
      const long = () => batch.send(1, { event: LONG });
      refuses(long, RangeError, 'ERR_FAN_TOO_LARGE', '4098 bytes');
      for (const data of [undefined, () => {}, Symbol('x'), { toJSON() {} }, 5n, circular]) {
        refuses(() => batch.send(data), TypeError, 'ERR_FAN_DATA', 'serialised');
      }
      const broken = new Error('not today');
      const throwing = {
        toJSON() {
          throw broken;
        },
      };
      assert.equal(
        refuses(() => batch.send(throwing), TypeError, 'ERR_FAN_DATA', 'today').cause,
        broken,
      );
      assert.equal(batch.send('after'), 2);
      batch.flush();
      assert.deepEqual(await arrayOf(stream), [{ data: 'before' }, { data: 'after' }]);
    });
  });
});
