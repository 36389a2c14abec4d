'use strict';

// client.pipe(): what becomes of a source's chunks, and of the stream behind the last one.

const assert = require('node:assert/strict');
const { Readable } = require('node:stream');
const { sse } = require('fanline');
const { Led, assertBody, overTransports } = require('../js/support/pipes');
const { when } = require('../js/support/stage');

const DATA = 'data: a\n\ndata: b\n\ndata: c\n\n';
const FENCE = 'id: [fence]\nevent: fanline:end\ndata: fanline:end\n\n';

/** Each has a, b and c. */
const SOURCES = {
  'an array': () => ['a', 'b', 'c'],
  'an iterable of promises': () => ['a', Promise.resolve('b'), 'c'],
  'a generator': () =>
    (function* () {
      yield* ['a', 'b', 'c'];
    })(),
  'an async generator': () =>
    (async function* () {
      yield* ['a', 'b', 'c'];
    })(),
  'a generator function': () =>
    function* () {
      yield* ['a', 'b', 'c'];
    },
  'an async generator function': () =>
    async function* () {
      yield* ['a', 'b', 'c'];
    },
  'a function that answers an array': () => () => ['a', 'b', 'c'],
  'a function that promises a stream': () => async () => Readable.from(['a', 'b', 'c']),
  'a Readable of objects': () => Readable.from(['a', 'b', 'c']),
  'a Readable of bytes': () =>
    Readable.from(['a', 'b', 'c'].map(Buffer.from), { objectMode: false }),
  'a web stream': () => new Blob(['abc']).stream().pipeThrough(letters()),
  'a web stream, promised': () => async () => ReadableStream.from(['a', 'b', 'c']),
};

/** Cuts text into letters. */
function letters() {
  return new TransformStream({
    transform(bytes, controller) {
      for (const letter of Buffer.from(bytes).toString()) controller.enqueue(letter);
    },
  });
}

describe('client.pipe()', () => {
  overTransports((start, transport) => {
    for (const [name, source] of Object.entries(SOURCES)) {
      it(`sends each chunk of ${name}, and ends the stream for good`, async () => {
        const stage = await start();
        const { client, stream } = await stage.connect();
        assert.deepEqual(await client.pipe(source()), { sent: 3, closed: 'server' });
        assert.equal(client.transport, transport);
        assert.equal(client.res.writableFinished, true);
        assert.equal(await stream.end(), 'end');
        assertBody(stream, DATA + FENCE);
      });
    }

    it('sends what each chunk is: text, bytes, and the rest as JSON', async () => {
      const stage = await start();
      const { client, stream } = await stage.connect({}, { method: 'POST' });
      const { sent } = await client.pipe(['two\nlines', Buffer.from('€'), { n: 1 }, null, 0]);
      assert.equal(sent, 5);
      await stream.end();
      assertBody(
        stream,
        'data: two\ndata: lines\n\ndata: €\n\ndata: {"n":1}\n\ndata: null\n\ndata: 0\n\n',
      );
    });

    it('sends in one stretch what a plain iterable has', async () => {
      const stage = await start();
      const { client, stream } = await stage.connect();
      const before = stage.hub.stats().flushes;
      const numbers = Array.from({ length: 100 }, (_, n) => String(n));
      await client.pipe(numbers, { end: false });
      assert.deepEqual(await stream.data(100), numbers);
      const flushes = stage.hub.stats().flushes - before;
      assert(flushes < 20, `${flushes} flushes of 100 chunks`); // on relay each block is acknowledged with one
    });

    it('sends a chunk when it has it, and not with the next one', async () => {
      const stage = await start();
      const { client, stream } = await stage.connect();
      const source = new Led();
      const piped = client.pipe(source);
      await when(() => source.asked === 1);
      source.give('now');
      assert.equal((await stream.next()).data, 'now');
      assert.equal(client.closed, null);
      source.end();
      assert.deepEqual(await piped, { sent: 1, closed: 'server' });
      assert.deepEqual([source.asked, source.returned], [2, []]); // no return() behind its end
    });

    it('names events: the name of `map` goes before that of `event`', async () => {
      const stage = await start();
      const { client, stream } = await stage.connect();
      await client.pipe([1], { event: 'n', end: false });
      const map = (n) => (n === 2 ? { data: n, event: 'own', id: 7, retry: 5 } : { data: n });
      const answer = await client.pipe([2, 3], { event: 'n', map, end: false });
      assert.deepEqual(answer, { sent: 2, closed: null });
      await client.pipe([4], { map });
      await stream.end();
      const own = 'id: 7\nevent: own\nretry: 5\ndata: 2\n\n';
      assertBody(stream, `event: n\ndata: 1\n\n${own}event: n\ndata: 3\n\ndata: 4\n\n${FENCE}`);
    });

    it('skips what `map` makes undefined of, and counts what was sent', async () => {
      const stage = await start();
      const { client, stream } = await stage.connect();
      const map = async (text) => (text === 'b' ? undefined : { data: text.toUpperCase() });
      assert.deepEqual(await client.pipe(['a', 'b', 'c'], { map }), { sent: 2, closed: 'server' });
      await stream.end();
      assertBody(stream, `data: A\n\ndata: C\n\n${FENCE}`);
    });

    it('sends `done` last, which does not count', async () => {
      const stage = await start();
      for (const [done, text] of [
        ['[DONE]', 'data: [DONE]\n\n'],
        [{ data: { n: 1 } }, 'data: {"n":1}\n\n'],
        [{ data: 'x', event: 'bye' }, 'event: bye\ndata: x\n\n'],
      ]) {
        const { client, stream } = await stage.connect();
        const answer = await client.pipe(['a'], { event: 'named', done });
        assert.deepEqual(answer, { sent: 1, closed: 'server' });
        await stream.end();
        assertBody(stream, `event: named\ndata: a\n\nid: [fence]\n${text}`);
      }
    });

    it('to a POST sends nothing that was not asked for', async () => {
      const stage = await start();
      const { client, stream } = await stage.connect({}, { method: 'POST' });
      assert.deepEqual(await client.pipe(['a']), { sent: 1, closed: 'server' });
      assert.equal(await stream.end(), 'end');
      assertBody(stream, 'data: a\n\n');

      const done = await stage.connect({}, { method: 'POST' });
      await done.client.pipe(['a'], { done: '[DONE]' });
      await done.stream.end();
      assertBody(done.stream, 'data: a\n\ndata: [DONE]\n\n');
    });

    it('with `end: false` leaves the stream open behind `done`', async () => {
      const stage = await start();
      const { client, stream } = await stage.connect();
      const opts = { end: false, done: { data: 'x', event: 'bye' } };
      assert.deepEqual(await client.pipe(['a'], opts), { sent: 1, closed: null });
      assert.deepEqual(await client.pipe([], { end: false }), { sent: 0, closed: null });
      assert.equal(client.send('later'), true);
      assert.equal((await stream.data(3)).at(-1), 'later');
      assertBody(stream, 'data: a\n\nevent: bye\ndata: x\n\ndata: later\n\n');
      stream.close();
      await when(() => client.closed !== null);
    });

    it('ends the stream of an empty source', async () => {
      const stage = await start();
      const { client, stream } = await stage.connect();
      assert.deepEqual(await client.pipe([]), { sent: 0, closed: 'server' });
      await stream.end();
      assertBody(stream, FENCE);
    });

    it('keeps the order of two pipes and sends of one client', async () => {
      const stage = await start();
      const { client, stream } = await stage.connect();
      const [one, two] = [new Led(), new Led()];
      const piped = [client.pipe(one, { end: false }), client.pipe(two, { end: false })];
      await when(() => one.asked + two.asked === 2);
      one.give('1');
      await when(() => one.asked === 2);
      client.send('2');
      two.give('3');
      await when(() => two.asked === 2);
      one.end();
      two.end();
      assert.deepEqual(await Promise.all(piped), Array(2).fill({ sent: 1, closed: null }));
      assert.deepEqual(await stream.data(3), ['1', '2', '3']);
    });

    it('gives a source function the signal of the client, before it answers', async () => {
      const stage = await start();
      const { client } = await stage.connect();
      let given;
      const piped = client.pipe((...args) => {
        given = args;
        return [];
      });
      assert.equal(given.length, 1);
      assert.equal(given[0], client.signal);
      await piped;
      assert.equal(given[0].aborted, true);
    });

    for (const opts of [{}, { history: false }]) {
      it(`is what a snapshot may use, however much waits behind it: ${JSON.stringify(opts)}`, async () => {
        const rows = Array.from({ length: 50 }, (_, n) => `row ${n} ${'x'.repeat(4_000)}`);
        let others = 0;
        const source = function* (hub) {
          for (const row of rows) {
            hub.broadcast(`${others++} ${'y'.repeat(4_000)}`, opts);
            yield row;
          }
        };
        const answers = [];
        const stage = await start({
          history: {},
          snapshot: async (client) => {
            const piped = client.pipe(() => source(stage.hub), { end: false });
            answers.push(await piped);
          },
        });
        const { stream } = await stage.connect();
        const data = await stream.data(100);
        assert.deepEqual(answers, [{ sent: 50, closed: null }]);
        assert.deepEqual(data.slice(0, 50), rows);
        const numbers = data.slice(50).map((text) => Number(text.split(' ')[0]));
        assert.deepEqual(
          numbers,
          rows.map((_, n) => n),
        );
      });
    }

    it('on a hub that gives ids itself fails with an event that has one', async () => {
      const stage = await start({ history: {} });
      const { client } = await stage.connect();
      const piped = client.pipe(['a'], { map: (data) => ({ data, id: 5 }) });
      await assert.rejects(piped, { code: 'ERR_FAN_ARG' });
      assert.equal(client.closed, 'server');
    });

    it('is there for sse() as well', async () => {
      const stage = await start();
      const { path, result } = stage.expect((req, res) => {
        const client = sse(req, res, { transport: transport === 'fd' ? 'auto' : 'relay' });
        return client.pipe(SOURCES['an async generator function'](), { done: '[DONE]' });
      });
      const stream = await stage.open(path);
      await stream.end();
      assert.deepEqual(await result, { sent: 3, closed: 'server' });
      assertBody(stream, `${DATA}id: [fence]\ndata: [DONE]\n\n`);
    });
  });
});
