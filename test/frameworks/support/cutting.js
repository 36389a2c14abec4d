'use strict';

const assert = require('node:assert/strict');
const { once } = require('node:events');
const { QUIET, arrives, noise } = require('../../js/suite/world');

module.exports = function cutting({ world }) {
  describe('a reader that never reads on', () => {
    it('loses its connection when its stream is cut', async () => {
      const limits = { queueBytes: 64 << 20, stallTimeout: 150 };
      const w = await world({ ...QUIET, limits });
      const { stream, client, res } = await w.open();
      await arrives(stream, ':\n');
      stream.pause();
      const gone = once(res, 'close');
      const closed = once(client, 'close');
      for (let i = 0; i < 60; i++) client.send(noise(64 * 1024));
      assert.deepEqual(await closed, ['stalled']);
      await gone;
    });
  });
};
