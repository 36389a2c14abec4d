'use strict';

const assert = require('node:assert/strict');
const { once } = require('node:events');
const { QUIET, arrives, noise } = require('./world');

const BLOCK = 64 * 1024;
const ROOMY = { ...QUIET, limits: { queueBytes: 64 << 20 } };

/** Sends to a reader that does not read until `send` answers false and stays so for `times` more. */
function fill(client, times = 60) {
  const sent = [];
  let refused = 0;
  while (refused < times) {
    const text = `${sent.length} ${noise(BLOCK)}`;
    sent.push(`data: ${text}\n\n`);
    if (!client.send(text)) refused++;
  }
  return sent;
}

const settled = (promise) =>
  Promise.race([promise, new Promise((r) => setTimeout(r, 50, 'waits'))]);

module.exports = function pressure({ world }) {
  describe('backpressure', () => {
    it('makes send() false and drain() wait; reading on loses nothing', async () => {
      const w = await world(ROOMY);
      const { stream, client } = await w.open();
      await arrives(stream, ':\n');
      assert.equal(await client.drain(), true);
      stream.pause();
      const sent = fill(client);
      const drained = client.drain();
      assert.equal(await settled(drained), 'waits');
      assert(client.bufferedBytes > BLOCK, String(client.bufferedBytes));
      stream.resume();
      assert.equal(await drained, true);
      assert.equal(client.send('end'), true);
      await arrives(stream, `:\n${sent.join('')}data: end\n\n`);
    });

    it('answers drain() false when the peer leaves', async () => {
      const w = await world(ROOMY);
      const { stream, client } = await w.open();
      await arrives(stream, ':\n');
      stream.pause();
      fill(client);
      const drained = client.drain();
      assert.equal(await settled(drained), 'waits');
      stream.close();
      assert.equal(await drained, false);
      assert.equal(client.closed, 'client');
      assert.equal(client.bufferedBytes, 0);
    });

    it('of one reader delays no other', async () => {
      const w = await world(ROOMY);
      const { slow, quick } = await w.openAll({ slow: {}, quick: {} });
      slow.stream.pause();
      const expected = [];
      for (let i = 0; i < 100; i++) {
        w.hub.broadcast(`${i} ${noise(BLOCK)}`);
        expected.push(String(i));
      }
      const data = await quick.stream.data(100);
      assert.deepEqual(
        data.map((text) => text.slice(0, text.indexOf(' '))),
        expected,
      );
      assert.equal(slow.client.closed, null);
      slow.stream.resume();
      assert.equal((await slow.stream.data(100)).length, 100);
    });

    it('past limits.queueBytes ends the stream as slow, with a prefix of the events', async () => {
      const w = await world({ ...QUIET, limits: { queueBytes: 1 << 20 } });
      const drops = [];
      w.hub.on('drop', (client, drop) => drops.push([client, drop]));
      const { slow, quick } = await w.openAll({ slow: {}, quick: {} });
      await arrives(slow.stream, ':\n');
      slow.stream.pause();
      const closed = once(slow.client, 'close');
      let sent = 0;
      while (slow.client.closed === null && sent < 500) {
        w.hub.broadcast(`${sent++} ${noise(BLOCK)}`);
        await quick.client.drain();
        await quick.stream.next();
      }
      assert.deepEqual(await closed, ['slow']);
      assert.equal(drops.length, 1);
      const [client, { reason, events, bytes }] = drops[0];
      assert.equal(client, slow.client);
      assert.equal(reason, 'slow');
      assert(events > 0 && bytes > 1 << 20, `${events} events, ${bytes} bytes`);
      assert.equal(w.hub.stats().drops.slow.events, events);
      slow.stream.resume();
      assert.notEqual(await slow.stream.end(), 'end');
      const got = slow.stream.events.map(({ data }) => Number(data.slice(0, data.indexOf(' '))));
      assert.deepEqual(
        got,
        got.map((_, i) => i),
      );
      assert(got.length < sent);
      w.hub.broadcast('on');
      assert.equal((await quick.stream.next()).data, 'on');
    });

    it('for limits.stallTimeout ends the stream as stalled', async () => {
      const w = await world({ ...QUIET, limits: { queueBytes: 64 << 20, stallTimeout: 150 } });
      const { stream, client } = await w.open();
      await arrives(stream, ':\n');
      stream.pause();
      const closed = once(client, 'close');
      fill(client);
      assert.deepEqual(await closed, ['stalled']);
      assert.equal(w.hub.size, 0);
      stream.resume();
      assert.notEqual(await stream.end(), 'end');
    });
  });
};
