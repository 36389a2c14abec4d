'use strict';

const assert = require('node:assert/strict');
const { once } = require('node:events');

/** Everything a hub tells, as lines, with sizes at that moment. */
function watch(hub) {
  const lines = [];
  const name = (client) => client.data ?? '?';
  hub.on('connect', (client) => lines.push(`${name(client)} connect, hub ${hub.size}`));
  hub.on('join', (client, room) => {
    lines.push(`${name(client)} join ${room} ${hub.rooms.get(room)}`);
  });
  hub.on('leave', (client, room) => {
    lines.push(`${name(client)} leave ${room} ${hub.rooms.get(room) ?? 0}`);
  });
  hub.on('disconnect', (client, reason) => {
    lines.push(`${name(client)} disconnect ${reason}, hub ${hub.size}`);
  });
  hub.on('connect', (client) => {
    client.on('close', (reason) => lines.push(`${name(client)} close ${reason}`));
  });
  return lines;
}

const ENTER = ['a connect, hub 1', 'a join r 1', 'a join s 1', 'b connect, hub 2', 'b join r 2'];

module.exports = function presence({ world }) {
  describe('presence', () => {
    async function two() {
      const w = await world();
      const lines = watch(w.hub);
      const a = await w.open({ data: 'a', rooms: ['r', 's'] });
      const b = await w.open({ data: 'b', rooms: ['r'] });
      assert.deepEqual(lines.splice(0), ENTER);
      return { w, lines, a, b };
    }

    it('is told in order, with sizes already changed, when the server closes', async () => {
      const { w, lines, a, b } = await two();
      const gone = once(w.hub, 'disconnect');
      a.client.close();
      assert.deepEqual(lines.splice(0), ['a leave r 1', 'a leave s 0']);
      await gone;
      assert.deepEqual(lines.splice(0), ['a close server', 'a disconnect server, hub 1']);
      assert.deepEqual([...a.client.rooms], ['r', 's']);
      assert.deepEqual(w.hub.to('r').clients(), [b.client]);
    });

    it('is told in order, with sizes already changed, when the peer leaves', async () => {
      const { w, lines, a } = await two();
      const gone = once(w.hub, 'disconnect');
      a.stream.close();
      await gone;
      const expected = [
        'a leave r 1',
        'a leave s 0',
        'a close client',
        'a disconnect client, hub 1',
      ];
      assert.deepEqual(lines, expected);
    });

    it('is told of join and leave once each', async () => {
      const { lines, a } = await two();
      a.client.join(['s', 't']).join('t');
      a.client.leave(['t', 'none', 'r']).leave('t');
      assert.deepEqual(lines, ['a join t 1', 'a leave t 0', 'a leave r 1']);
    });

    it('shows rooms with their sizes, clients by id, users by count', async () => {
      const w = await world();
      const { a } = await w.openAll({
        a: { rooms: ['r', 's'], user: 'u' },
        b: { rooms: 'r', user: 'u' },
      });
      assert.deepEqual([...w.hub.rooms].sort(), [
        ['r', 2],
        ['s', 1],
      ]);
      assert.equal(w.hub.rooms.size, 2);
      assert.equal(w.hub.clients.get(a.client.id), a.client);
      assert.equal(w.hub.stats().users, 1);
      assert.equal(w.hub.user('u').size, 2);
    });

    it('lets listeners send, join and close', async () => {
      const w = await world();
      w.hub.on('join', (client, room) => {
        w.hub.to(room).send(`${client.data} is here`);
        if (room === 'r') client.join('lobby');
      });
      w.hub.on('leave', (client, room) => w.hub.to(room).send(`${client.data} has left`));
      const a = await w.open({ data: 'a', rooms: 'r' });
      const b = await w.open({ data: 'b', rooms: 'r' });
      b.stream.close();
      const expected = ['a', 'a', 'b', 'b'].map((name) => `${name} is here`);
      expected.push('b has left', 'b has left');
      assert.deepEqual(await a.stream.data(6), expected);
      w.hub.on('leave', (client) => client.close());
      a.client.leave('r');
      assert.equal(await a.stream.end(), 'end');
    });
  });
};
