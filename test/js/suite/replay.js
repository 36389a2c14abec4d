'use strict';

const assert = require('node:assert/strict');
const { once } = require('node:events');
const { arrives, noise, upTo } = require('./world');

const KEPT = { retry: false, heartbeat: false, history: { events: 100 } };
const RESET = 'fanline:reset';
const BLOCK = 64 * 1024;
const NUMBER = /^\d+/;

const range = (from, to) => Array.from({ length: to - from + 1 }, (_, i) => String(from + i));
const numberOf = ({ data }) => NUMBER.exec(data)[0];

module.exports = function replay({ world }) {
  describe('replay', () => {
    const connect = { rooms: 'r', user: 'u' };

    /** Cuts the connection. @returns {Promise<string>} what an EventSource would come back with */
    async function cut({ stream, client }) {
      const closed = client.closed === null ? once(client, 'close') : null;
      stream.close();
      await closed;
      return stream.lastEventId;
    }

    /** What it gets that comes back with this cursor, up to an event of now. */
    async function returns(w, lastEventId) {
      const back = await w.open(connect, { lastEventId });
      w.hub.to('r').send('now');
      return { ...back, missed: await upTo(back.stream, 'now') };
    }

    it('gives a client that was cut exactly what it missed, once and in order, then what comes', async () => {
      const w = await world(KEPT);
      const { a: first, b: other } = await w.openAll({ a: connect, b: { rooms: 's' } });
      w.hub.to('r').send('1');
      assert.deepEqual(await first.stream.data(1), ['1']);
      const cursor = await cut(first);
      w.hub.to('r').send('2');
      w.hub.to('s').send('not for it');
      w.hub.user('u').send('3');
      w.hub.broadcast('4');
      w.hub.to(['r', 's']).except(w.hub.user('u')).send('nor this');
      w.hub.to('r').send('passing', { history: false });
      assert.deepEqual(await other.stream.data(3), ['not for it', '4', 'nor this']);

      const back = await returns(w, cursor);
      assert.deepEqual(back.missed, ['2', '3', '4']);
      for (const data of range(5, 30)) w.hub.to('r').send(data);
      back.client.close({ event: 'bye', data: 'end' });
      assert.deepEqual(await upTo(back.stream, 'end'), range(5, 30));
      assert.equal(await back.stream.end(), 'end');
      assert.equal(w.hub.stats().resets, 0);
    });

    it('gives a client that was cut in the middle of a flood the rest of it', async () => {
      const w = await world(KEPT);
      const first = await w.open(connect);
      w.hub.to('r').send('1');
      await first.stream.until(({ events }) => events.length === 1);
      first.stream.pause();
      for (const data of range(2, 80)) w.hub.to('r').send(`${data} ${noise(BLOCK)}`);
      const cursor = await cut(first);
      const got = first.stream.events.map(numberOf);
      assert(got.length < 80, 'it read everything');

      const { missed } = await returns(w, cursor);
      const all = [...got, ...missed.map((data) => numberOf({ data }))];
      assert.deepEqual(all, range(1, 80));
    });

    it('gives nothing to a client that missed nothing', async () => {
      const w = await world(KEPT);
      const first = await w.open(connect);
      for (const data of range(1, 3)) w.hub.to('r').send(data);
      assert.deepEqual(await first.stream.data(3), range(1, 3));
      assert.deepEqual((await returns(w, await cut(first))).missed, []);
    });

    for (const [what, why, prepare] of [
      ['a cursor of another epoch', 'restart', () => 'abcdefgh-1'],
      ['a cursor that was never given', 'invalid', () => 'x'],
      [
        'a cursor whose events are kept no more',
        'expired',
        async (w) => {
          const first = await w.open(connect);
          w.hub.to('r').send('seen');
          await first.stream.next();
          const cursor = await cut(first);
          for (let i = 0; i < 101; i++) w.hub.to('r').send('missed');
          return cursor;
        },
      ],
    ]) {
      it(`answers ${what} with one ${RESET}, whose id is a cursor again`, async () => {
        const w = await world(KEPT);
        const { stream, client } = await w.open(connect, { lastEventId: await prepare(w) });
        w.hub.to('r').send('live');
        const [reset, live] = await stream.take(2);
        assert.deepEqual([reset.event, reset.data, live.data], [RESET, why, 'live']);
        assert.equal(w.hub.stats().resets, 1);
        assert.notEqual(reset.id, undefined);
        await cut({ stream, client });

        const again = await w.open(connect, { lastEventId: reset.id });
        await arrives(again.stream, `:\nid: ${live.id}\ndata: live\n\n`);
      });
    }
  });
};
