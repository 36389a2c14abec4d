'use strict';

// deliver(): what became of an event, for each client that it was for, exactly once; and what it costs those who do not ask.

const assert = require('node:assert/strict');
const { createHook } = require('node:async_hooks');
const { once } = require('node:events');
const { PLACES, numbered, overPlaces, taken } = require('../js/support/venue');

const KIB = 1 << 10;
const PLUG = 6 * KIB * KIB; // more than the kernel takes in for a reader that does not read
const HISTORY = { history: { events: 1_000 } };

/** A stalled reader with an event in front that keeps the rest from leaving. */
async function plugged(it, opts, request) {
  const made = await it.stalled(opts, request);
  made.client.send(numbered(0, PLUG));
  await taken(it.hub);
  return made;
}

/** What deliver() answers, and whether it has. */
function asked(promise) {
  const it = { answer: null };
  it.done = promise.then((answer) => {
    it.answer = answer;
    return answer;
  });
  return it;
}

/** It has not answered, although the loop has had time to. */
async function assertPending(hub, ...all) {
  await taken(hub);
  for (let turn = 0; turn < 10; turn++) await new Promise((resolve) => setTimeout(resolve, 1));
  for (const { answer } of all) assert.equal(answer, null);
}

function fates(written, dropped, closed, id) {
  return { id, matched: written + dropped + closed, written, dropped, closed };
}

describe('deliver', () => {
  overPlaces((bare) => {
    const venue = (options = {}) => {
      const limits = { eventBytes: 8 * KIB * KIB, ...options.limits };
      return bare({ ...options, limits });
    };
    it('to clients that read: written, once the event is on its way to each', async () => {
      const it = await venue();
      const readers = [];
      for (let i = 0; i < 3; i++) readers.push(await it.connect({ rooms: 'r' }));
      const other = await it.connect({ rooms: 'other' });
      assert.deepEqual(await it.hub.to('r').deliver('x'), fates(3, 0, 0));
      assert.deepEqual(await it.hub.to('r').deliver('y', { id: 7 }), fates(3, 0, 0, '7'));
      for (const { stream } of readers) assert.deepEqual(await stream.data(2), ['x', 'y']);
      await it.hub.broadcast('z');
      assert.deepEqual(await other.stream.data(1), ['z']);
    });

    it('counts each client once, however it is addressed; send() answers an upper bound', async () => {
      const it = await venue();
      await it.connect({ rooms: ['a', 'b'], user: 'u' });
      const { client: excepted } = await it.connect({ rooms: ['a', 'b'] });
      const { client } = await it.connect({ rooms: 'b' });
      const target = it.hub.to(['a', 'b']).user('u').except(excepted);
      assert.ok(target.send('x').matched > 2);
      assert.deepEqual(await target.deliver('y'), fates(2, 0, 0));
      assert.deepEqual(await it.hub.client(client.id).deliver('z'), fates(1, 0, 0));
    });

    it('many in one stretch: each is answered', async () => {
      const it = await venue();
      for (let i = 0; i < 3; i++) await it.connect({ rooms: 'r' });
      const all = Array.from({ length: 500 }, (_, n) => it.hub.to('r').deliver(n));
      for (const answer of await Promise.all(all)) assert.deepEqual(answer, fates(3, 0, 0));
    });

    it('waits for a stalled reader, and is written when that reads on', async () => {
      const it = await venue();
      const { stream } = await plugged(it, { rooms: 'r' });
      const { stream: quick } = await it.connect({ rooms: 'r' });
      const question = asked(it.hub.to('r').deliver('x'));
      assert.deepEqual(await quick.data(1), ['x']);
      await assertPending(it.hub, question);
      stream.resume();
      assert.deepEqual(await question.done, fates(2, 0, 0));
      assert.equal((await stream.data(2))[1], 'x');
    });

    for (const overflow of ['dropOldest', 'dropNewest']) {
      it(`${overflow}: dropped when a policy lets go of it`, async () => {
        const limits = { queueBytes: 64 * KIB };
        const it = await venue({ overflow, limits });
        const { client, stream } = await plugged(it, { rooms: 'r' });
        await it.connect({ rooms: 'r' });
        const first = asked(it.hub.to('r').deliver('first'));
        await taken(it.hub);
        for (let n = 0; n < 100; n++) {
          client.send(numbered(n, 2 * KIB));
          if (n % 4 === 3) await taken(it.hub);
        }
        const last = asked(it.hub.to('r').deliver('last'));
        const [gone, stays] = overflow === 'dropOldest' ? [first, last] : [last, first];
        assert.deepEqual(await gone.done, fates(1, 1, 0));
        if (overflow === 'dropOldest') {
          await assertPending(it.hub, stays);
          stream.resume();
          assert.deepEqual(await stays.done, fates(2, 0, 0));
        }
      });
    }

    it('dropped when a later event with its key takes its place', async () => {
      const it = await venue();
      const { stream } = await plugged(it, { rooms: 'r' });
      await it.connect({ rooms: 'r' });
      const first = asked(it.hub.to('r').deliver('1', { key: 'k' }));
      const second = asked(it.hub.to('r').deliver('2', { key: 'k' }));
      const { dropped, matched, closed } = await first.done;
      assert.deepEqual([matched, closed], [2, 0]);
      assert.ok(dropped >= 1, 'of one stretch the other reader gets only the second, too');
      await assertPending(it.hub, second);
      stream.resume();
      assert.deepEqual(await second.done, fates(2, 0, 0));
    });

    it('closed when the stalled reader is ended for being slow', async () => {
      const it = await venue({ limits: { queueBytes: 64 * KIB } });
      const { client } = await plugged(it, { rooms: 'r' });
      await it.connect({ rooms: 'r' });
      const question = asked(it.hub.to('r').deliver('x'));
      await taken(it.hub);
      const ended = once(client, 'close');
      client.send(numbered(0, 100 * KIB));
      assert.deepEqual(await question.done, fates(1, 0, 1));
      assert.deepEqual(await ended, ['slow']);
    });

    const LEAVING = {
      'the peer leaves': ({ stream }) => stream.close(),
      'the application destroys the response': ({ res }) => res.destroy(),
      'the hub closes': ({ hub }) => hub.close({ grace: 0 }),
      'the hub closes, and the peer leaves': ({ hub, stream }) => {
        hub.close({ grace: 2_000 });
        stream.close();
      },
    };
    for (const [how, leave] of Object.entries(LEAVING)) {
      it(`closed when ${how}; what others have got is written all the same`, async () => {
        const it = await venue();
        const { stream, res } = await plugged(it, { rooms: 'r' });
        const other = await it.connect({ rooms: 'r' });
        const questions = ['x', 'y', 'z'].map((data) => asked(it.hub.to('r').deliver(data)));
        await other.stream.data(3);
        await assertPending(it.hub, ...questions);
        leave({ hub: it.hub, stream, res });
        for (const { done } of questions) assert.deepEqual(await done, fates(1, 0, 1));
      });
    }

    it('written when the application closes the client, whose queue still drains', async () => {
      const it = await venue();
      const { client, stream } = await plugged(it, { rooms: 'r' });
      const question = asked(it.hub.to('r').deliver('x'));
      client.close({ data: 'end' });
      await assertPending(it.hub, question);
      assert.deepEqual(await it.hub.to('r').deliver('late'), fates(0, 0, 0));
      stream.resume();
      assert.deepEqual(await question.done, fates(1, 0, 0));
      assert.deepEqual((await stream.data(3)).slice(1), ['x', 'end']);
    });

    it('to nobody: answered, with the id if it is kept', async () => {
      const it = await venue(HISTORY);
      const nobody = it.hub.to('r');
      assert.deepEqual(await nobody.deliver('1', { history: false }), fates(0, 0, 0));
      const { id, ...rest } = await nobody.deliver('2');
      assert.deepEqual({ id: undefined, ...rest }, fates(0, 0, 0));
      assert.match(id, /^[a-z][a-z0-9]{7}-1$/);
      const { stream } = await it.connect({ rooms: 'r' }, { lastEventId: id.replace(/1$/, '0') });
      assert.deepEqual(await stream.next(), { id, data: '2' });
      assert.deepEqual(await it.hub.client('x'.repeat(22)).deliver('3'), fates(0, 0, 0));
    });

    it('to a client that catches up: once, in its place, and written when it is', async () => {
      const it = await venue(HISTORY);
      const { id } = await it.hub.to('r').deliver('begin');
      for (let n = 0; n < 60; n++) {
        it.hub.to('r').send(numbered(n, 64 * KIB));
        await taken(it.hub);
      }
      // 4 MB: far from through while it does not read.
      const { stream } = await it.stalled({ rooms: 'r' }, { lastEventId: id });
      const kept = asked(it.hub.to('r').deliver('kept'));
      const unkept = asked(it.hub.to('r').deliver('unkept', { history: false }));
      const replayed = it.hub.to('r').send('after');
      await assertPending(it.hub, kept, unkept);
      stream.resume();
      assert.deepEqual(await kept.done, fates(1, 0, 0, `${id.slice(0, -1)}62`));
      assert.deepEqual(await unkept.done, fates(1, 0, 0));
      const data = (await stream.data(63)).map((text) => text.slice(0, 6).trim());
      assert.deepEqual(data.slice(58), ['58 xxx', '59 xxx', 'kept', 'unkept', 'after']);
      assert.equal(await replayed.accepted, `${id.slice(0, -1)}63`);
    });

    it('to a client that catches up and leaves: closed', async () => {
      const it = await venue(HISTORY);
      const { id } = await it.hub.to('r').deliver('begin');
      for (let n = 0; n < 60; n++) {
        it.hub.to('r').send(numbered(n, 64 * KIB));
        await taken(it.hub);
      }
      const { stream } = await it.stalled({ rooms: 'r' }, { lastEventId: id });
      const question = asked(it.hub.to('r').deliver('kept'));
      await assertPending(it.hub, question);
      stream.close();
      assert.deepEqual(await question.done, fates(0, 0, 1, `${id.slice(0, -1)}62`));
    });

    for (const why of ['comes to its end', 'fails']) {
      it(`to a client that waits for its snapshot: answered when that ${why}`, async () => {
        let settle;
        const told = new Promise((resolve, reject) => {
          settle = { 'comes to its end': resolve, fails: reject }[why];
        });
        told.catch(() => {});
        const snapshot = async (client) => {
          client.send('state');
          await told;
        };
        const it = await venue({ snapshot });
        const { client, stream } = await it.connect({ rooms: 'r' });
        assert.deepEqual(await stream.data(1), ['state']);
        const question = asked(it.hub.to('r').deliver('x'));
        const alone = asked(it.hub.client(client.id).deliver('y', { key: 'k' }));
        await assertPending(it.hub, question, alone);
        settle(new Error('no state'));
        const expected = why === 'fails' ? fates(0, 0, 1) : fates(1, 0, 0);
        assert.deepEqual(await question.done, expected);
        assert.deepEqual(await alone.done, expected);
        if (why === 'fails') assert.equal(client.closed, 'error');
        else assert.deepEqual(await stream.data(2), ['x', 'y']);
      });
    }
  });

  overPlaces(
    (venue) => {
      it('throws what send() throws, at once', async () => {
        const it = await venue({ limits: { eventBytes: 1_000 } });
        const { hub } = it;
        assert.throws(() => hub.to('r').deliver(undefined), { code: 'ERR_FAN_DATA' });
        assert.throws(() => hub.to('r').deliver('x', { event: '' }), { code: 'ERR_FAN_ARG' });
        assert.throws(() => hub.to('r').deliver('x'.repeat(1_001)), { code: 'ERR_FAN_TOO_LARGE' });
        await hub.close();
        assert.throws(() => hub.to('r').deliver('x'), { code: 'ERR_FAN_CLOSED' });
      });

      it('costs one notice each; a send costs none, and as many crossings', async () => {
        const it = await venue();
        const { stream } = await it.connect({ rooms: 'r' });
        const count = 300;
        const cost = async (run) => {
          const before = it.hub.stats();
          for (let n = 0; n < count; n++) {
            await run();
            await stream.next();
          }
          await taken(it.hub);
          const after = it.hub.stats();
          return [after.crossings - before.crossings, after.notices - before.notices];
        };
        assert.deepEqual(await cost(() => it.hub.to('r').send('x')), [count, 0]);
        assert.deepEqual(await cost(() => it.hub.to('r').deliver('x')), [count, count]);
        assert.deepEqual(await cost(() => it.hub.to('r').send('x')), [count, 0]);
      });

      it('accepted: the id of what is kept, else undefined; no promise unless it is read', async () => {
        const it = await venue(HISTORY);
        const { client, stream } = await it.connect({ rooms: 'r' });
        let promises = 0;
        const hook = createHook({
          init: (_id, type) => {
            promises += type === 'PROMISE';
          },
        });
        hook.enable();
        const receipts = [];
        for (let n = 0; n < 50; n++) receipts.push(it.hub.to('r').send(n));
        const made = promises;
        const accepted = receipts.map((receipt) => receipt.accepted);
        hook.disable();
        assert.ok(made <= 1, `${made} promises for 50 sends`); // the end of the stretch is awaited
        assert.equal(promises, made + 50);
        const ids = await Promise.all(accepted);
        for (const id of ids) assert.equal((await stream.next()).id, id);
        assert.equal(new Set(ids).size, 50);
        assert.equal(await it.hub.to('r').send('x', { key: 'k' }).accepted, undefined);
        assert.equal(await it.hub.to('r').send('x', { history: false }).accepted, undefined);
        assert.equal(await it.hub.client(client.id).send('x').accepted, undefined);
        assert.match(await it.hub.to('nobody').send('x').accepted, /-51$/);
        const without = await venue({ history: false });
        assert.equal(await without.hub.broadcast('x', { id: 'mine' }).accepted, 'mine');
        assert.equal(await without.hub.broadcast('x').accepted, undefined);
      });
    },
    PLACES.slice(0, 1),
  );
});
