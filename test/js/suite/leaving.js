'use strict';

const assert = require('node:assert/strict');
const { once } = require('node:events');
const { setTimeout: sleep } = require('node:timers/promises');
const { QUIET } = require('./world');

module.exports = function leaving({ combo, world }) {
  describe('leaving', () => {
    it('is noticed: reason client, signal aborted, nothing left behind', async () => {
      const w = await world();
      const { stream, client } = await w.open({ rooms: ['r'], user: 'u' });
      const { signal } = client;
      assert.equal(signal.aborted, false);
      assert.equal(client.closed, null);
      const closed = once(client, 'close');
      stream.close();
      assert.deepEqual(await closed, ['client']);
      assert.equal(client.closed, 'client');
      assert.equal(signal.aborted, true);
      assert.equal(w.hub.size, 0);
      assert.equal(w.hub.clients.size, 0);
      assert.equal(w.hub.rooms.size, 0);
      assert.equal(w.hub.user('u').size, 0);
      assert.equal(w.hub.stats().disconnects.client, 1);
    });

    it('is told once to a listener that comes late', async () => {
      const w = await world();
      const { stream, client } = await w.open();
      stream.close();
      await once(client, 'close');
      const calls = [];
      client.on('close', (reason) => calls.push(reason));
      client.once('close', (reason) => calls.push(reason));
      assert.deepEqual(calls, []);
      await sleep(5);
      assert.deepEqual(calls, ['client', 'client']);
    });

    it('makes everything on that client harmless', async () => {
      const w = await world();
      const { stream, client } = await w.open({ rooms: 'r' });
      stream.close();
      await once(client, 'close');
      assert.equal(client.send('x'), false);
      assert.equal(await client.drain(), false);
      client.comment('x');
      client.retry(1);
      assert.equal(client.join('s'), client);
      assert.equal(client.leave('r'), client);
      client.close({ event: 'x', data: 'y', reconnect: false });
      assert.equal(client.bufferedBytes, 0);
      assert.deepEqual([...client.rooms], ['r']);
      assert.equal(w.hub.client(client.id).send('x').matched, 0);
      assert.equal(w.hub.rooms.size, 0);
    });

    it('of 20 at once settles to zero', async () => {
      const w = await world();
      const all = await Promise.all(
        Array.from({ length: 20 }, (_, i) => w.open({ rooms: [`r${i % 3}`], user: `u${i % 2}` })),
      );
      const gone = all.map(({ client }) => once(client, 'close'));
      for (const [i, { stream }] of all.entries()) {
        w.hub.broadcast(i);
        stream.close();
      }
      await Promise.all(gone);
      const { clients, rooms, users, disconnects } = w.hub.stats();
      assert.deepEqual({ clients, rooms, users }, { clients: 0, rooms: 0, users: 0 });
      assert.equal(disconnects.client, 20);
    });

    it('of one leaves the others their events', async () => {
      const w = await world();
      const { a, b } = await w.openAll({ a: { rooms: 'r' }, b: { rooms: 'r' } });
      for (let i = 0; i < 100; i++) w.hub.to('r').send(i);
      a.stream.close();
      await once(a.client, 'close');
      for (let i = 100; i < 200; i++) w.hub.to('r').send(i);
      const expected = Array.from({ length: 200 }, (_, i) => String(i));
      assert.deepEqual(await b.stream.data(200), expected);
    });

    it('by a destroyed response is noticed by both sides', async () => {
      const w = await world();
      const { stream, client, res } = await w.open();
      const closed = once(client, 'close');
      if (res.stream) res.stream.close(8);
      else res.destroy();
      assert.deepEqual(await closed, ['client']);
      assert.notEqual(await stream.end(), 'end');
    });

    it('during a POST whose body nobody reads is noticed', async () => {
      const w = await world({ ...QUIET, limits: { stallTimeout: 200 } });
      const request = { method: 'POST', body: 'x'.repeat(100_000) };
      const { stream, client } = await w.open(undefined, request);
      const closed = once(client, 'close');
      stream.close();
      assert.deepEqual(await closed, ['client']);
      assert.equal(w.hub.size, 0);
    });

    if (combo.kind === 'http') {
      it('by a reset is noticed', async () => {
        const w = await world();
        const { stream, client } = await w.open();
        const closed = once(client, 'close');
        stream.req.socket.resetAndDestroy();
        assert.deepEqual(await closed, ['client']);
      });
    }
  });
};
