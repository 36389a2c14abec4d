'use strict';

const assert = require('node:assert/strict');
const { once } = require('node:events');
const { UUID, forBoth, staged, take } = require('./support');

const EVENTS = ['session-registered', 'session-deregistered', 'session-disconnected', 'broadcast'];

forBoth('Channel', (lib) => {
  const stage = staged(lib);
  let channel;
  let told;

  /** @returns {Promise<object[]>} sessions that are registered */
  async function opened(count, options) {
    const list = await Promise.all(Array.from({ length: count }, () => stage().open(options)));
    for (const { session } of list) channel.register(session);
    return list;
  }

  beforeEach(() => {
    channel = lib.createChannel();
    told = [];
    for (const name of EVENTS) {
      channel.on(name, (...args) => told.push([name, ...args, channel.sessionCount]));
    }
  });

  it('begins with nobody, and with the state that it is given', () => {
    assert(channel instanceof lib.Channel);
    assert.deepEqual([channel.state, channel.sessionCount, channel.activeSessions], [{}, 0, []]);
    const state = { topic: 'x' };
    assert.equal(lib.createChannel({ state }).state, state);
  });

  describe('register, deregister', () => {
    it('count and list the sessions, once each', async () => {
      const [{ session: a }, { session: b }] = await opened(2);
      assert.equal(channel.register(a), channel);
      assert.equal(channel.sessionCount, 2);
      assert.deepEqual(
        [channel.activeSessions[0] === a, channel.activeSessions[1] === b],
        [true, true],
      );
      assert.equal(channel.deregister(a), channel);
      channel.deregister(a);
      assert.deepEqual([channel.sessionCount, channel.activeSessions[0] === b], [1, true]);
    });

    it('are told by events, after the fact and once', async () => {
      const [{ session }] = await opened(1);
      channel.register(session).deregister(session).deregister(session);
      assert.deepEqual(told, [
        ['session-registered', session, 1],
        ['session-deregistered', session, 0],
      ]);
    });

    it('list what does not change beneath its reader', async () => {
      const [{ session }] = await opened(1);
      const list = channel.activeSessions;
      channel.deregister(session);
      assert.equal(list.length, 1);
    });

    it('refuse a session that has not connected, or is over', async () => {
      const [{ session, stream }] = await opened(1);
      stream.close();
      await once(session, 'disconnected');
      assert.throws(() => channel.register(session), lib.SseError);
      let early;
      const url = stage().route((req, res) => {
        early = new lib.Session(req, res);
        assert.throws(() => channel.register(early), lib.SseError);
        early.once('connected', () => channel.register(early));
      });
      await stage().read(url);
      assert.deepEqual([channel.sessionCount, channel.activeSessions[0] === early], [1, true]);
    });

    it('are undone when a session ends, which is told in order', async () => {
      const [{ session, stream }] = await opened(1);
      session.on('disconnected', () => told.push(['disconnected', channel.sessionCount]));
      told.length = 0;
      stream.close();
      await once(session, 'disconnected');
      assert.deepEqual(told, [
        ['session-disconnected', session, 1],
        ['session-deregistered', session, 0],
        ['disconnected', 0],
      ]);
    });

    it('let a session be in several channels', async () => {
      const [{ session, stream }] = await opened(1);
      const other = lib.createChannel().register(session);
      channel.broadcast('a', 'e', '1');
      other.broadcast('b', 'e');
      assert.deepEqual(
        (await take(stream, 2)).map((event) => event[2]),
        ['"a"', '"b"'],
      );
    });
  });

  describe('broadcast', () => {
    it('sends to every session the same event, with the same id', async () => {
      const list = await opened(3);
      assert.equal(channel.broadcast({ a: 1 }, 'name', { eventId: 'E' }), channel);
      channel.broadcast('second');
      const seen = await Promise.all(list.map(({ stream }) => take(stream, 2)));
      assert.deepEqual(seen[0][0], ['name', 'E', '{"a":1}']);
      assert.deepEqual([seen[0][1][0], seen[0][1][2]], ['message', '"second"']);
      assert.match(seen[0][1][1], UUID);
      assert.deepEqual(seen[1], seen[0]);
      assert.deepEqual(seen[2], seen[0]);
    });

    it('keeps its place among what is pushed and batched', async () => {
      const [{ session, stream }] = await opened(1);
      session.push(1);
      channel.broadcast(2);
      await session.batch((buffer) => {
        buffer.push(3);
      });
      channel.broadcast(4, 'e', { filter: () => true });
      session.push(5);
      channel.broadcast(6);
      assert.deepEqual(
        (await take(stream, 6)).map((event) => event[2]),
        ['1', '2', '3', '4', '5', '6'],
      );
    });

    it('sends nothing from before the registration, and nothing from after it has ended', async () => {
      const { session, stream } = await stage().open();
      channel.broadcast('early');
      channel.register(session).broadcast('in');
      channel.deregister(session).broadcast('late');
      session.push('own');
      assert.deepEqual(
        (await take(stream, 2)).map((event) => event[2]),
        ['"in"', '"own"'],
      );
    });

    it('goes on for those who stay when another leaves', async () => {
      const [{ session }, { stream }] = await opened(2);
      channel.deregister(session).broadcast('on');
      assert.equal((await stream.next()).data, '"on"');
    });

    it('sends to those alone whom a filter lets through', async () => {
      const list = await opened(3);
      const [, { session: second }] = list;
      const asked = [];
      const filter = (session) => {
        asked.push(session);
        return session === second;
      };
      channel.broadcast('some', 'e', { filter });
      channel.broadcast('all');
      assert.equal(asked.length, 3);
      const seen = await Promise.all(list.map(async ({ stream }) => (await stream.next()).data));
      assert.deepEqual(seen, ['"all"', '"some"', '"all"']);
    });

    it('throws what a filter throws, and is sent to nobody', async () => {
      const list = await opened(2);
      const filter = (session) => {
        if (session === list[1].session) throw new Error('of the filter');
        return true;
      };
      assert.throws(() => channel.broadcast('lost', 'e', { filter }), /of the filter/);
      channel.broadcast('next');
      for (const { stream } of list) assert.equal((await stream.next()).data, '"next"');
    });

    it('throws what cannot be JSON', async () => {
      await opened(1);
      assert.throws(() => channel.broadcast(1n), TypeError);
    });

    it("lets each session's own serializer write it", async () => {
      const [json] = await opened(1);
      const [text, more] = await opened(2, { serializer: (data) => `<${data}>` });
      channel.broadcast('x', 'e', { eventId: 'E' });
      for (const [{ stream }, data] of [
        [json, '"x"'],
        [text, '<x>'],
        [more, '<x>'],
      ]) {
        assert.deepEqual(await take(stream, 1), [['e', 'E', data]]);
      }
    });

    it("is every session's last id, where it was sent", async () => {
      const [{ session: a }, { session: b }] = await opened(2);
      const { session: c } = await stage().open();
      channel.broadcast(1, 'e', { eventId: 'E1' });
      channel.register(c);
      assert.deepEqual([a.lastId, b.lastId, c.lastId], ['E1', 'E1', '']);
      a.push(1, 'e', 'own');
      channel.broadcast(1, 'e', { eventId: 'E2', filter: (session) => session === b });
      assert.deepEqual([a.lastId, b.lastId, c.lastId], ['own', 'E2', '']);
      channel.broadcast(1, 'e', { eventId: 'E3' });
      channel.deregister(a);
      channel.broadcast(1, 'e', { eventId: 'E4' });
      assert.deepEqual([a.lastId, b.lastId, c.lastId], ['E3', 'E4', 'E4']);
    });

    it('is told by the channel, and before by each session that was sent it', async () => {
      const [{ session }] = await opened(1);
      told.length = 0;
      session.on('push', (...args) => told.push(['push', ...args]));
      channel.broadcast('a', 'e', { eventId: 'E' });
      channel.broadcast('b', 'e', { eventId: 'F', filter: () => false });
      session.removeAllListeners('push');
      channel.broadcast('c', 'e', { eventId: 'G' });
      session.once('push', (...args) => told.push(['push', ...args]));
      channel.broadcast('d', 'e', { eventId: 'H' }).broadcast('d', 'e', { eventId: 'I' });
      assert.deepEqual(told, [
        ['push', 'a', 'e', 'E'],
        ['broadcast', 'a', 'e', 'E', 1],
        ['broadcast', 'b', 'e', 'F', 1],
        ['broadcast', 'c', 'e', 'G', 1],
        ['push', 'd', 'e', 'H'],
        ['broadcast', 'd', 'e', 'H', 1],
        ['broadcast', 'd', 'e', 'I', 1],
      ]);
    });

    it('is told by a session whose listener was there before it was registered', async () => {
      const { session } = await stage().open();
      const seen = [];
      session.on('push', (...args) => seen.push(args));
      channel.register(session).broadcast('a', 'e', { eventId: 'E' });
      assert.deepEqual(seen, [['a', 'e', 'E']]);
    });

    it('to nobody is told all the same', () => {
      channel.broadcast('a', 'e', { eventId: 'E' });
      assert.deepEqual(told, [['broadcast', 'a', 'e', 'E', 0]]);
    });

    it('may be taken off its channel', async () => {
      const [{ stream }] = await opened(1);
      const { broadcast } = channel;
      broadcast('a', 'e', { eventId: 'E' });
      assert.deepEqual(await take(stream, 1), [['e', 'E', '"a"']]);
    });
  });
});
