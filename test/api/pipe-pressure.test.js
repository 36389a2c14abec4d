'use strict';

// client.pipe() and a reader that lags behind, or a hub that is full: the source waits, memory stays flat, nothing is lost.

const assert = require('node:assert/strict');
const { Readable } = require('node:stream');
const { setTimeout: sleep } = require('node:timers/promises');
const { textOf } = require('../js/support/reader');
const { readPaced } = require('../js/support/paced-reader');
const { Readers } = require('../js/support/readers');
const { Led, overTransports } = require('../js/support/pipes');
const { when } = require('../js/support/stage');

const KIB = 1 << 10;
const MIB = 1 << 20;
const CHUNK = 64 * KIB;
const HELD = 2 * MIB; // what the queue, Node and two kernel buffers take together, with room to spare

/** Numbered chunks; `given` tells how many were asked for. */
class Counted {
  constructor(count, size = CHUNK) {
    this.given = 0;
    this.returned = null;
    this._count = count;
    this._size = size;
  }

  async *chunks() {
    try {
      while (this.given < this._count) yield textOf(this.given++, this._size);
    } finally {
      this.returned = performance.now();
    }
  }
}

/** How many it has given when it has given no more for a while. */
async function standstill(source) {
  let last = -1;
  while (source.given !== last) {
    last = source.given;
    await sleep(60);
  }
  return last;
}

describe('client.pipe(), under pressure', function () {
  this.timeout(30_000);

  overTransports((start, transport) => {
    it('a reader that stops stops the source; it reads on, and gets all', async () => {
      const stage = await start();
      const { client, stream } = await stage.connect();
      const source = new Counted(200);
      stream.pause();
      const piped = client.pipe(source.chunks(), { done: '[DONE]' });
      const given = await standstill(source);
      assert(given * CHUNK < HELD, `${given} of 200 chunks were asked for`);
      assert(client.bufferedBytes <= 3 * CHUNK, `${client.bufferedBytes} bytes wait`);
      assert.equal(client.closed, null);
      stream.resume();
      const data = await stream.data(201);
      assert.deepEqual(await piped, { sent: 200, closed: 'server' });
      data.pop();
      for (const [n, text] of data.entries()) assert.equal(text, textOf(n, CHUNK));
    });

    it('so does a stream that is piped, in both of its kinds', async () => {
      const stage = await start();
      for (const from of [(it) => Readable.from(it), (it) => ReadableStream.from(it)]) {
        const { client, stream } = await stage.connect();
        const source = new Counted(200);
        stream.pause();
        const piped = client.pipe(from(source.chunks()));
        const given = await standstill(source);
        assert((given - 16) * CHUNK < HELD, `${given} of 200 chunks were asked for`); // a Readable holds up to 16 itself
        stream.close();
        assert.equal((await piped).closed, 'client');
        assert.equal(source.given < 200, true);
      }
    });

    it('the reader leaves while the source waits for room: return() at once', async () => {
      const stage = await start();
      const { client, stream } = await stage.connect();
      const source = new Counted(200);
      stream.pause();
      const piped = client.pipe(source.chunks());
      const given = await standstill(source);
      assert.equal(source.returned, null);
      const left = performance.now();
      stream.close();
      assert.equal((await piped).closed, 'client');
      assert(source.returned - left < 100, `return() after ${source.returned - left} ms`);
      assert.equal(source.given, given);
    });

    it('what a plain iterable has is not taken in at once either', async () => {
      const stage = await start();
      const { client, stream } = await stage.connect();
      let given = 0;
      const piped = client.pipe(function* () {
        while (given < 1_000) yield textOf(given++, 16 * KIB);
      });
      assert(given * 16 * KIB <= 2 * CHUNK, `${given} chunks in one stretch`);
      await stream.end();
      assert.deepEqual(await piped, { sent: 1_000, closed: 'server' });
      assert.equal(stream.events.length, 1_001);
    });

    describe('and a hub that is full', () => {
      /** The next `times` sends and closes of the client are refused; the real ones are for milliseconds, by chance. */
      function refuse(client, times) {
        const counter = { left: times, tried: 0 };
        for (const method of ['send', 'close']) {
          const own = client[method];
          client[method] = (...args) => {
            counter.tried++;
            if (counter.left === 0) return own.apply(client, args);
            counter.left--;
            throw Object.assign(new Error('The hub is full'), { code: 'ERR_FAN_FULL' });
          };
        }
        return counter;
      }

      let stage;
      let client;
      let stream;
      beforeEach(async () => {
        stage = await start();
        ({ client, stream } = await stage.connect());
      });

      it('waits with an event until there is room', async () => {
        const map = (n) => {
          if (n === 2) refuse(client, 3);
          return { data: n };
        };
        assert.deepEqual(await client.pipe([1, 2, 3], { map }), { sent: 3, closed: 'server' });
        assert.deepEqual(await stream.data(4), ['1', '2', '3', 'fanline:end']);
      });

      for (const end of [true, false]) {
        it(`waits with the last event, end: ${end}`, async () => {
          const source = function* () {
            yield 'a';
            refuse(client, 3);
          };
          const { sent, closed } = await client.pipe(source, { done: 'bye', end });
          assert.deepEqual([sent, closed], [1, end ? 'server' : null]);
          assert.deepEqual(await stream.data(2), ['a', 'bye']);
        });
      }

      it('waits with what `error` answers', async () => {
        const lost = new Error('lost');
        refuse(client, 3);
        const piped = client.pipe(() => Promise.reject(lost), { error: () => 'sorry' });
        assert.deepEqual(await piped, { sent: 0, closed: 'server', error: lost });
        assert.deepEqual(await stream.data(1), ['sorry']);
      });

      it('does not go on waiting when the client leaves', async () => {
        const source = new Led();
        const piped = client.pipe(source);
        await when(() => source.asked === 1);
        const counter = refuse(client, Infinity);
        source.give('a');
        await when(() => counter.tried > 2);
        stream.close();
        assert.deepEqual(await piped, { sent: 0, closed: 'client' });
        const { tried } = counter;
        await sleep(60);
        assert.deepEqual([counter.tried, source.asked, source.returned.length], [tried, 1, 1]);
      });
    });

    it('gets all through a hub that others fill to its limit, over and over', async () => {
      const size = 100_000;
      const readers = new Readers();
      try {
        const stage = await start({ limits: { totalBytes: 8 * MIB, queueBytes: 4 * MIB } });
        const { path, result } = stage.expect((req, res) =>
          stage.hub.connect(req, res, { transport: 'auto' }),
        );
        const group = await readers.open({ port: stage.port, path, size });
        const other = await result;
        const { client, stream } = await stage.connect();
        let others = 0;
        let refused = 0;
        const send = client.send;
        client.send = (...args) => {
          try {
            return send.apply(client, args);
          } catch (err) {
            refused++;
            throw err;
          }
        };
        const map = async (n) => {
          await group.until(others);
          const fill = () => {
            for (; others < 10_000; others++) other.send(textOf(others, size));
          };
          assert.throws(fill, { code: 'ERR_FAN_FULL' });
          return { data: textOf(n, size) };
        };
        const numbers = Array.from({ length: 20 }, (_, n) => n);
        assert.deepEqual(await client.pipe(numbers, { map }), { sent: 20, closed: 'server' });
        assert(refused > 0, 'never refused');
        const data = await stream.data(21);
        assert.deepEqual(
          data.slice(0, 20),
          numbers.map((n) => textOf(n, size)),
        );
        const report = await group.until(others);
        assert.deepEqual([report.total, report.wrong], [others, 0]);
      } finally {
        await readers.close();
      }
    });

    it('64 MiB to a reader that pauses now and then: memory grows by less than 24 MiB', async () => {
      const stage = await start();
      const { path, result } = stage.expect((req, res) => stage.hub.connect(req, res));
      const pauses = { bytes: 8 * MIB, ms: 30 };
      const reader = readPaced({ url: stage.url + path, size: CHUNK, pauses });
      try {
        const client = await result;
        assert.equal(client.transport, transport);
        const source = new Counted(1_024);
        let from = 0;
        let most = 0;
        const map = (data) => {
          const rss = process.memoryUsage.rss();
          if (source.given <= 128)
            from = rss; // what V8 takes to begin with
          else most = Math.max(most, rss - from);
          return { data };
        };
        assert.deepEqual(await client.pipe(source.chunks(), { map, end: false }), {
          sent: 1_024,
          closed: null,
        });
        client.close();
        const { bytes, ...report } = await reader.report;
        assert.deepEqual(report, { events: 1_024, wrong: 0, isComplete: true });
        assert(most < 24 * MIB, `${(most / MIB).toFixed(1)} MiB more`);
      } finally {
        reader.stop();
      }
    });
  });
});
