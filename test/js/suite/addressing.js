'use strict';

const assert = require('node:assert/strict');
const { QUIET, upTo } = require('./world');

const WHO = {
  a: { rooms: ['r', 's'], user: '1' },
  b: { rooms: ['r'], user: '1' },
  c: { rooms: ['s', '1'], user: '2' },
  d: {},
};

// Who is addressed, and what `matched` says where it is an upper bound.
const TARGETS = [
  ['everyone', 'abcd', (hub) => hub.except([])],
  ['a room', 'ab', (hub) => hub.to('r')],
  ['an array of rooms, without duplicates', 'abc', (hub) => hub.to(['r', 's', 'r']), 4],
  ['an empty array: nobody', '', (hub) => hub.to([])],
  ['a room without members', '', (hub) => hub.to('none')],
  ['a user, not the room of that name', 'ab', (hub) => hub.user('1')],
  ['a room, not the user of that name', 'c', (hub) => hub.to('1')],
  ['users', 'abc', (hub) => hub.user(['1', '2'])],
  ['a client', 'd', (hub, of) => hub.client(of.d.id)],
  ['clients', 'ad', (hub, of) => hub.client([of.a.id, of.d.id])],
  ['an id that nobody has', '', (hub) => hub.client('r')],
  ['a union of room, user and client', 'abc', (hub) => hub.to('s').user('1'), 4],
  ['a union of overlapping rooms', 'abc', (hub) => hub.to('r').to('s'), 4],
  ['a union with users', 'abc', (hub) => hub.user('2').to('r').user('1'), 4],
  ['everyone but a room', 'cd', (hub) => hub.except('r'), 4],
  ['everyone but a client', 'bcd', (hub, of) => hub.except(of.a), 4],
  ['everyone but several', 'd', (hub, of) => hub.except(['s', of.b]), 4],
  ['a room but a client', 'b', (hub, of) => hub.to('r').except(of.a), 2],
  ['a room but a room', 'b', (hub) => hub.to('r').except('s'), 2],
  ['a union but a user', 'c', (hub) => hub.to(['r', 's']).except(hub.user('1')), 4],
  ['exceptions added up', 'd', (hub) => hub.except('r').except('s'), 4],
  ['but a target with exceptions', 'acd', (hub) => hub.except(hub.to('r').except('s')), 4],
  ['but everyone', '', (hub) => hub.to('r').except(hub.except([])), 2],
  ['all but a room, but that all', 'ab', (hub) => hub.to(['r', 's']).except(hub.except('r')), 4],
];

module.exports = function addressing({ world }) {
  describe('addressing', () => {
    it('reaches exactly those who are meant, once, and tells how many', async () => {
      const w = await world();
      const all = await w.openAll(WHO);
      const names = Object.keys(WHO);
      const of = Object.fromEntries(names.map((name) => [name, all[name].client]));
      const expected = { a: [], b: [], c: [], d: [] };
      for (const [title, who, make, matched = who.length] of TARGETS) {
        const target = make(w.hub, of);
        assert.equal(target.send(title).matched, matched, title);
        assert.equal(target.size, who.length, title);
        const members = target.clients().map((client) => names.find((name) => of[name] === client));
        assert.equal(members.sort().join(''), who, title);
        for (const name of who) expected[name].push(title);
      }
      assert.equal(w.hub.broadcast('end').matched, 4);
      for (const name of names) {
        assert.deepEqual(await upTo(all[name].stream, 'end'), expected[name], name);
      }
    });

    it('a target is immutable, and meant are those who are there when it is used', async () => {
      const w = await world();
      const { a, b } = await w.openAll({ a: { rooms: 'r' }, b: {} });
      const target = w.hub.to('r');
      target.to('s');
      target.except('r');
      assert.equal(target.size, 1);
      target.send(1);
      b.client.join('r');
      target.send(2);
      a.client.leave('r');
      target.send(3);
      w.hub.broadcast('end');
      assert.deepEqual(await upTo(a.stream, 'end'), ['1', '2']);
      assert.deepEqual(await upTo(b.stream, 'end'), ['2', '3']);
    });

    it('join and leave take effect between the sends around them', async () => {
      const w = await world();
      const { stream, client } = await w.open();
      w.hub.to('r').send('too early');
      assert.equal(client.join(['r', 's']), client);
      w.hub.to('r').send('r');
      w.hub.to('s').send('s');
      assert.equal(client.leave('r'), client);
      w.hub.to('r').send('too late');
      w.hub.to('s').send('s again');
      client.join('r').leave('r').join('r');
      w.hub.to(['r', 's']).send('both');
      client.send('end');
      assert.deepEqual(await upTo(stream, 'end'), ['r', 's', 's again', 'both']);
      assert.deepEqual([...client.rooms], ['s', 'r']);
    });

    it('Target.join and Target.leave move all who are meant', async () => {
      const w = await world();
      const all = await w.openAll({ a: { rooms: 'r' }, b: { rooms: 'r' }, c: {} });
      w.hub.to('r').join(['s', 't']);
      assert.equal(w.hub.to('s').send(1).matched, 2);
      assert.equal(w.hub.rooms.get('t'), 2);
      w.hub.to('r').leave('r');
      assert.equal(w.hub.rooms.has('r'), false);
      assert.equal(w.hub.to('r').send(2).matched, 0);
      w.hub.except('s').join('r');
      assert.equal(w.hub.to('r').send(3).matched, 1);
      w.hub.broadcast('end');
      assert.deepEqual(await upTo(all.a.stream, 'end'), ['1']);
      assert.deepEqual(await upTo(all.b.stream, 'end'), ['1']);
      assert.deepEqual(await upTo(all.c.stream, 'end'), ['3']);
    });

    it('Target.disconnect ends the streams that are meant, with a last event', async () => {
      const w = await world();
      const { a, b, c } = await w.openAll({ a: { rooms: 'r' }, b: { rooms: 'r' }, c: {} });
      w.hub.to('r').disconnect({ event: 'bye', data: { n: 1 } });
      for (const { stream } of [a, b]) {
        assert.equal(await stream.end(), 'end');
        assert.equal(stream.text, ':\nevent: bye\ndata: {"n":1}\n\n');
      }
      assert.equal(w.hub.broadcast('x').matched, 1);
      assert.deepEqual(await c.stream.data(1), ['x']);
    });

    it('refuses more rooms than limits.roomsPerClient, and joins none of them', async () => {
      const w = await world({ ...QUIET, limits: { roomsPerClient: 2 } });
      const { client } = await w.open({ rooms: 'a' });
      assert.throws(() => client.join(['b', 'c']), { code: 'ERR_FAN_RANGE' });
      assert.throws(() => w.hub.to('a').join(['b', 'c']), { code: 'ERR_FAN_RANGE' });
      assert.deepEqual([...w.hub.rooms], [['a', 1]]);
      client.join(['a', 'b']);
      assert.deepEqual([...client.rooms], ['a', 'b']);
    });
  });
};
