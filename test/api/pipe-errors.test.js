'use strict';

// client.pipe() when something fails: the source, `map`, an event that cannot be sent, `done`, `error` itself.

const assert = require('node:assert/strict');
const { Readable } = require('node:stream');
const { Led, assertBody, overTransports, unhandledIn } = require('../js/support/pipes');
const { when } = require('../js/support/stage');

const lost = new Error('lost');
const circular = {};
circular.self = circular;

/** Each fails without having sent an event. */
const FAILING = {
  'a function that throws': () => () => {
    throw lost;
  },
  'a function that rejects': () => () => Promise.reject(lost),
  'an async generator': () =>
    // biome-ignore lint/correctness/useYield: it does not come so far
    async function* () {
      throw lost;
    },
  'a generator': () =>
    // biome-ignore lint/correctness/useYield: it does not come so far
    function* () {
      throw lost;
    },
  'an array of promises': () => {
    const promise = Promise.reject(lost);
    promise.catch(() => {});
    return [promise];
  },
  'a Readable that is destroyed': () => {
    const readable = new Readable({ read() {} });
    setImmediate(() => readable.destroy(lost));
    return readable;
  },
  'a Readable that has been destroyed': () => new Readable({ read() {} }).destroy(lost),
  'a web stream': () =>
    new ReadableStream({
      pull: () => {
        throw lost;
      },
    }),
};

/** What map answers, and the error that this is. */
const UNSENDABLE = {
  'no plain object': [5, 'ERR_FAN_ARG', 'map()'],
  null: [null, 'ERR_FAN_ARG', 'map()'],
  'an unknown name': [{ data: 1, evnt: 'x' }, 'ERR_FAN_ARG', 'map().evnt'],
  'a name with a line break': [{ data: 1, event: 'a\nb' }, 'ERR_FAN_ARG', 'opts.event'],
  'no data': [{ event: 'x' }, 'ERR_FAN_DATA', 'undefined'],
  'data that cannot be serialised': [{ data: circular }, 'ERR_FAN_DATA', 'circular'],
  'data that is too large': [{ data: 'x'.repeat(101) }, 'ERR_FAN_TOO_LARGE', '100'],
};

/** `promise` rejects; answers with what. */
async function rejects(promise) {
  let err;
  await assert.rejects(promise, (thrown) => {
    err = thrown;
    return true;
  });
  return err;
}

describe('client.pipe(), when something fails', () => {
  overTransports((start) => {
    let stage;
    beforeEach(async () => {
      stage = await start({ limits: { eventBytes: 100 } });
    });

    for (const [name, source] of Object.entries(FAILING)) {
      it(`${name}: the stream ends and tells nothing, then the promise rejects`, async () => {
        const unhandled = await unhandledIn(async () => {
          const { client, stream } = await stage.connect();
          assert.equal(await rejects(client.pipe(source())), lost);
          assert.deepEqual([client.closed, client.res.writableFinished], ['server', true]);
          assert.equal(await stream.end(), 'end');
          assertBody(stream, '');
        });
        assert.deepEqual(unhandled, []);
      });
    }

    it('a source that is locked, and an answer that is no source, fail like any other', async () => {
      const locked = new ReadableStream();
      locked.getReader();
      const first = await stage.connect();
      assert.equal((await rejects(first.client.pipe(locked))).name, 'TypeError');
      assert.equal(await first.stream.end(), 'end');
      for (const value of [undefined, 'text', Buffer.from('bytes'), 5, {}, () => []]) {
        const { client, stream } = await stage.connect();
        const err = await rejects(client.pipe(() => value));
        assert.equal(err.code, 'ERR_FAN_ARG');
        assert.match(err.message, /"source\(\)"/);
        assert.equal(await stream.end(), 'end');
        assertBody(stream, '');
      }
    });

    it('a source that has failed is not told to return, and not asked again', async () => {
      const { client } = await stage.connect();
      const source = new Led();
      const piped = client.pipe(source);
      await when(() => source.asked === 1);
      source.fail(lost);
      assert.equal(await rejects(piped), lost);
      assert.deepEqual([source.asked, source.returned], [1, []]);
    });

    for (const [name, fails] of Object.entries({
      'map throws': () => {
        throw lost;
      },
      'map rejects': () => Promise.reject(lost),
    })) {
      it(`${name}: the source is let go of, what was sent stays, the promise rejects`, async () => {
        const { client, stream } = await stage.connect();
        const source = new Led();
        const map = (n) => (n === 1 ? { data: n } : fails());
        const piped = client.pipe(source, { map });
        for (const n of [1, 2]) {
          await when(() => source.asked === n);
          source.give(n);
        }
        assert.equal(await rejects(piped), lost);
        assert.deepEqual([source.asked, source.returned.length], [2, 1]);
        assert.equal(await stream.end(), 'end');
        assertBody(stream, 'data: 1\n\n');
      });
    }

    for (const [name, [answer, code, text]] of Object.entries(UNSENDABLE)) {
      it(`map answers ${name}: ${code}, and the source is let go of`, async () => {
        const { client, stream } = await stage.connect();
        const source = new Led();
        const piped = client.pipe(source, { map: () => answer });
        await when(() => source.asked === 1);
        source.give('a');
        const err = await rejects(piped);
        assert.equal(err.code, code);
        assert(err.message.includes(text), err.message);
        assert.equal(source.returned.length, 1);
        assert.equal(await stream.end(), 'end');
        assertBody(stream, '');
      });
    }

    it('a chunk that cannot be sent fails as well, and `error` may tell of it', async () => {
      const { client, stream } = await stage.connect();
      const error = ({ code }) => ({ data: code, event: 'failed' });
      const answer = await client.pipe(['a', circular, 'b'], { error });
      assert.equal(answer.error.code, 'ERR_FAN_DATA');
      assert.deepEqual([answer.sent, answer.closed], [1, 'server']);
      await stream.end();
      assertBody(stream, 'data: a\n\nid: [fence]\nevent: failed\ndata: ERR_FAN_DATA\n\n');
    });

    it('`error` may be async, and answer the data alone', async () => {
      const { client, stream } = await stage.connect({}, { method: 'POST' });
      const answer = await client.pipe(FAILING['a generator'](), { error: async () => 'sorry' });
      assert.deepEqual(answer, { sent: 0, closed: 'server', error: lost });
      await stream.end();
      assertBody(stream, 'data: sorry\n\n');
    });

    it('`error` gets also what is no Error, and the answer says that there was one', async () => {
      const { client } = await stage.connect();
      const seen = [];
      const error = (err) => {
        seen.push(err);
        return 'sorry';
      };
      const answer = await client.pipe(() => Promise.reject(), { error });
      assert.deepEqual(answer, { sent: 0, closed: 'server', error: undefined });
      assert.deepEqual(seen, [undefined]);
    });

    it('with `end: false` and `error` the stream goes on behind what it is told', async () => {
      const { client, stream } = await stage.connect();
      const answer = await client.pipe(FAILING['a generator'](), { end: false, error: () => 'no' });
      assert.deepEqual(answer, { sent: 0, closed: null, error: lost });
      client.send('later');
      assert.deepEqual(await stream.data(2), ['no', 'later']);
      assertBody(stream, 'data: no\n\ndata: later\n\n');
    });

    it('a map that fails lets go of the source also when the stream goes on', async () => {
      const { client } = await stage.connect();
      const source = new Led();
      const map = () => {
        throw lost;
      };
      const piped = client.pipe(source, { map, end: false, error: () => 'no' });
      await when(() => source.asked === 1);
      source.give('a');
      assert.deepEqual(await piped, { sent: 0, closed: null, error: lost });
      assert.equal(source.returned.length, 1);
    });

    it('with `end: false` and without `error` the stream ends: its reader must know', async () => {
      const { client, stream } = await stage.connect();
      const piped = client.pipe(FAILING['a generator'](), { end: false });
      assert.equal(await rejects(piped), lost);
      assert.equal(await stream.end(), 'end');
      assertBody(stream, '');
    });

    it('`error` throws: the stream ends, the promise rejects with that, and tells the cause', async () => {
      const own = new Error('own', { cause: 'another' });
      const frozen = Object.freeze(new Error('frozen'));
      for (const [thrown, cause] of [
        [new Error('worse'), lost],
        [own, 'another'],
        [frozen, undefined],
        [lost, undefined],
        ['text', undefined],
      ]) {
        const { client, stream } = await stage.connect();
        const error = () => {
          throw thrown;
        };
        const err = await rejects(client.pipe(FAILING['a generator'](), { error }));
        assert.equal(err, thrown);
        assert.equal(err.cause, cause);
        assert.equal(client.res.writableFinished, true);
        assert.equal(await stream.end(), 'end');
        assertBody(stream, '');
      }
    });

    it('`error` answers what cannot be sent: the same', async () => {
      for (const [answer, code] of [
        [undefined, 'ERR_FAN_ARG'],
        [5, 'ERR_FAN_ARG'],
        [{ event: 'x' }, 'ERR_FAN_ARG'],
        [{ data: 1, event: '' }, 'ERR_FAN_ARG'],
        [{ data: 1, id: 5 }, 'ERR_FAN_ARG'],
        [{ data: circular }, 'ERR_FAN_DATA'],
        ['x'.repeat(101), 'ERR_FAN_TOO_LARGE'],
      ]) {
        const { client, stream } = await stage.connect();
        const piped = client.pipe(FAILING['a generator'](), { error: () => answer });
        const err = await rejects(piped);
        assert.equal(err.code, code);
        if (code !== 'ERR_FAN_DATA') assert.equal(err.cause, lost);
        assert.equal(await stream.end(), 'end');
        assertBody(stream, '');
      }
    });

    it('a `done` that cannot be sent fails behind the source', async () => {
      const { client, stream } = await stage.connect();
      const err = await rejects(client.pipe(['a'], { done: { data: circular } }));
      assert.equal(err.code, 'ERR_FAN_DATA');
      assert.equal(await stream.end(), 'end');
      assertBody(stream, 'data: a\n\n');
    });

    it('fails behind a close() of the application: that ends the stream, and the promise rejects', async () => {
      const { client, stream } = await stage.connect();
      const source = new Led();
      const piped = client.pipe(source);
      await when(() => source.asked === 1);
      client.close({ data: 'enough' });
      source.fail(lost);
      assert.equal(await rejects(piped), lost);
      await stream.end();
      assertBody(stream, 'data: enough\n\n');
    });
  });
});
