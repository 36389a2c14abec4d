'use strict';

const assert = require('node:assert/strict');
const { setTimeout: sleep } = require('node:timers/promises');

module.exports = function heartbeats({ world }) {
  describe('heartbeats', () => {
    it('come after silence, as a comment and one LF', async () => {
      const w = await world({ retry: false, heartbeat: 20 });
      const started = Date.now();
      const { stream } = await w.open();
      await stream.until(() => stream.comments.length >= 4);
      assert(Date.now() - started >= 3 * 20 - 5);
      assert.match(stream.text, /^:\n(:\n)+$/);
      assert.deepEqual(stream.events, []);
    });

    it('do not come while there are events', async () => {
      const w = await world({ retry: false, heartbeat: 200 });
      const { stream, client } = await w.open();
      for (let i = 0; i < 15; i++) {
        client.send(i);
        await sleep(20);
      }
      client.send('end');
      await stream.until(() => stream.events.length === 16);
      assert.equal(stream.text.match(/^:/gm).length, 1); // the opening
    });

    it('are events with the interval as data where so asked', async () => {
      const w = await world({ retry: false, heartbeat: { interval: 20, event: 'ping' } });
      const { stream } = await w.open();
      const events = [await stream.next(), await stream.next()];
      for (const { event, data } of events) assert.deepEqual([event, data], ['ping', '20']);
      assert.match(stream.text, /^:\n(event: ping\ndata: 20\n\n)+$/);
    });

    it('are what connect says before the hub', async () => {
      const w = await world({ retry: false, heartbeat: { interval: 20, event: 'ping' } });
      const { silent, comments, other, hub } = await w.openAll({
        silent: { heartbeat: false },
        comments: { heartbeat: 15 },
        other: { heartbeat: { interval: 25, event: 'beat' } },
        hub: {},
      });
      await comments.stream.until(() => comments.stream.comments.length >= 3);
      assert.equal((await other.stream.next()).event, 'beat');
      assert.equal((await hub.stream.next()).event, 'ping');
      assert.equal(silent.stream.text, ':\n');
      assert.match(comments.stream.text, /^:\n(:\n)+$/);
      assert.match(other.stream.text, /^:\n(event: beat\ndata: 25\n\n)+$/);
    });
  });
};
