'use strict';

// fanline/testing: what a stream tells, what it waits for, and how it says that nothing came. Where it asks:
// testing-kit-targets.test.js; how: testing-kit-requests.test.js.

const assert = require('node:assert/strict');
const { once } = require('node:events');
const zlib = require('node:zlib');
const { createHub, sse } = require('fanline');
const { TestStream, closeAll, open } = require('fanline/testing');
const { when } = require('./support/stage');

const TYPE = { 'Content-Type': 'text/event-stream' };

/** An app that begins a stream and hands its response to `then`. */
const streaming = (then) => (req, res) => {
  res.writeHead(200, TYPE);
  res.flushHeaders();
  then(res, req);
};

/** An app whose whole stream is `text`. */
const telling = (text) => streaming((res) => res.end(text));

describe('fanline/testing', () => {
  afterEach(closeAll);

  describe('what has arrived', () => {
    it('status and headers are there before any event', async () => {
      const stream = await open(
        streaming((res) => res.flushHeaders()),
        '/',
      );
      assert.equal(stream.status, 200);
      assert.equal(stream.headers['content-type'], 'text/event-stream');
      assert.equal(stream.ended, null);
      assert.ok(stream instanceof TestStream);
    });

    it('events in order, then null, and null again', async () => {
      const stream = await open(
        telling('data: 1\n\nevent: e\nid: 7\ndata: a\ndata: b\n\ndata\n\n'),
      );
      assert.deepEqual(await stream.next(), { data: '1' });
      assert.deepEqual(await stream.next(), { event: 'e', id: '7', data: 'a\nb' });
      assert.deepEqual(await stream.next(), { data: '' });
      assert.equal(await stream.next(), null);
      assert.equal(await stream.next(), null);
      assert.equal(stream.ended, 'end');
    });

    it('a block without data is no event', async () => {
      const stream = await open(telling('event: e\n\nid: 5\n\nretry: 5\n\n: c\n\ndata: x\n\n'));
      assert.deepEqual(await stream.take(1), [{ data: 'x' }]);
      assert.equal(await stream.next(), null);
    });

    it('comments, retry, the last id and every byte', async () => {
      const text = 'retry: 25\n:one\n: two\nid: a\ndata: 1\n\ndata: 2\n\n';
      const stream = await open(telling(text));
      assert.deepEqual(await stream.data(2), ['1', '2']);
      assert.deepEqual(stream.comments, ['one', 'two']);
      assert.equal(stream.retry, 25);
      assert.equal(stream.lastEventId, 'a');
      assert.equal(stream.text, text);
    });

    it('characters cut in two are whole', async () => {
      const bytes = Buffer.from('data: ü€😀\n\n');
      const stream = await open(
        streaming(async (res) => {
          for (const byte of bytes) {
            res.write(Buffer.of(byte));
            await new Promise(setImmediate);
          }
          res.end();
        }),
      );
      assert.deepEqual(await stream.data(1), ['ü€😀']);
    });

    for (const [name, pack] of [
      ['gzip', zlib.createGzip],
      ['br', zlib.createBrotliCompress],
      ['deflate', zlib.createDeflate],
    ]) {
      it(`${name} is decompressed as it comes`, async () => {
        const packed = pack();
        const stream = await open(
          (_req, res) => {
            res.writeHead(200, { ...TYPE, 'Content-Encoding': name });
            packed.pipe(res);
            packed.write('data: 1\n\n');
            packed.flush();
          },
          '/',
          { headers: { 'Accept-Encoding': name } },
        );
        assert.deepEqual(await stream.next(), { data: '1' });
        packed.end('data: 2\n\n');
        assert.deepEqual(await stream.next(), { data: '2' });
        assert.equal(await stream.next(), null);
        assert.equal(stream.ended, 'end');
      });
    }

    it('an answer that is no stream is told as it is', async () => {
      const stream = await open((_req, res) => res.writeHead(401).end('who are you?'));
      assert.equal(stream.status, 401);
      assert.equal(await stream.next(), null);
      assert.equal(stream.text, 'who are you?');
    });

    it('a stream that is cut ends, and not in order', async () => {
      const stream = await open(
        streaming((res) => res.write('data: 1\n\ndata: ha', () => res.socket.resetAndDestroy())),
      );
      assert.deepEqual(await stream.next(), { data: '1' });
      assert.equal(await stream.next(), null);
      assert.equal(await stream.end(), 'ECONNRESET');
    });

    it('HEAD has no body', async () => {
      const stream = await open(telling('data: 1\n\n'), '/', { method: 'HEAD' });
      assert.equal(stream.status, 200);
      assert.equal(await stream.next(), null);
      assert.equal(stream.text, '');
    });
  });

  describe('waiting', () => {
    it('next() waits for what is sent later', async () => {
      const hub = createHub();
      const stream = await open(hub.handler({ rooms: 'r' }));
      const coming = stream.next();
      hub.to('r').send({ n: 1 }, { event: 'count' });
      const { event, data, id } = await coming;
      assert.deepEqual({ event, data: JSON.parse(data) }, { event: 'count', data: { n: 1 } });
      assert.equal(stream.lastEventId, id);
      await hub.close({ grace: 0 });
    });

    it('calls of next() that wait at the same time are served in their order', async () => {
      let response;
      const stream = await open(
        streaming((res) => {
          response = res;
        }),
      );
      const all = [1, 2, 3, 4].map(() => stream.next());
      response.write('data: 1\n\n');
      await all[0];
      response.end('data: 2\n\ndata: 3\n\n');
      assert.deepEqual(await Promise.all(all), [{ data: '1' }, { data: '2' }, { data: '3' }, null]);
    });

    it('nothing in time is ERR_FAN_TIMEOUT, and says what had arrived', async () => {
      const stream = await open(
        streaming((res) => res.write('data: one\n\n: hello\n')),
        '/events',
        { timeout: 30 },
      );
      await stream.next();
      await assert.rejects(stream.next(), (err) => {
        assert.equal(err.code, 'ERR_FAN_TIMEOUT');
        assert.match(
          err.message,
          /^No event came in 30 ms; GET http:\/\/\S+\/events answered 200, text\/event-stream; 1 event came, the last bytes: "data: one\\n\\n: hello\\n"$/,
        );
        assert.match(err.stack, /testing-kit\.test\.js/);
        return true;
      });
      await assert.rejects(
        stream.until(({ events }) => events.length > 0, 10),
        {
          code: 'ERR_FAN_TIMEOUT',
          message: /^The condition did not come true in 10 ms; /,
        },
      );
      await assert.rejects(stream.end(10), { message: /^The stream did not end in 10 ms; / });
      assert.equal(stream.ended, null);
    });

    it('a late event is not lost by a next() that gave up', async () => {
      let response;
      const stream = await open(
        streaming((res) => {
          response = res;
        }),
      );
      await assert.rejects(stream.next(10), {
        code: 'ERR_FAN_TIMEOUT',
        message: /nothing of a body/,
      });
      response.write('data: late\n\n');
      assert.deepEqual(await stream.next(), { data: 'late' });
    });

    it('no answer in time is told with the address, and leaves nothing behind', async () => {
      let left;
      await assert.rejects(
        open(
          (_req, res) => {
            left = once(res, 'close');
          },
          '/slow',
          { timeout: 30 },
        ),
        { code: 'ERR_FAN_TIMEOUT', message: /^No answer came in 30 ms; GET http.*\/slow has not/ },
      );
      await left;
    });

    it('take() and until() say what is missing when the stream ends', async () => {
      const stream = await open(telling('data: 1\n\n'));
      await assert.rejects(stream.take(3), {
        code: 'ERR_FAN_CLOSED',
        message: /after 1 of 3 events; .* and ended \(end\); 1 event came/,
      });
      await assert.rejects(
        stream.until(() => false),
        { code: 'ERR_FAN_CLOSED', message: /ended \(end\)/ },
      );
    });

    it('until() waits for what is no event', async () => {
      const hub = createHub({ heartbeat: 20 });
      const stream = await open(hub.handler({}));
      await stream.until(({ comments }) => comments.length >= 2);
      assert.deepEqual(stream.events, []);
      await hub.close({ grace: 0 });
    });

    it('pause() makes the sender wait, resume() goes on', async () => {
      const stream = await open((req, res) => sse(req, res).pipe(many()));
      async function* many() {
        for (let n = 0; n < 3_000; n++, many.last = n) yield 'x'.repeat(10_000);
      }
      stream.pause();
      const arrived = stream.text.length;
      let last = -1;
      let same = 0;
      const isStill = () => {
        same = many.last === last ? same + 1 : 0;
        last = many.last;
        return last > 0 && same > 20;
      };
      await when(isStill, 'the source stops', 10_000);
      assert.ok(last < 2_999, `${last} of 3,000`);
      assert.equal(stream.text.length, arrived);
      stream.resume();
      assert.equal(await stream.end(), 'end');
      assert.equal((await stream.data(3_000)).length, 3_000);
      assert.equal((await stream.next()).event, 'fanline:end');
    });
  });

  describe('iterating', () => {
    it('gives every event, and ends with the stream', async () => {
      const stream = await open(telling('data: 1\n\ndata: 2\n\n'));
      const list = [];
      for await (const { data } of stream) list.push(data);
      assert.deepEqual(list, ['1', '2']);
      assert.equal(stream.ended, 'end');
    });

    it('leaving the loop leaves the stream', async () => {
      let left;
      const stream = await open(
        streaming((res) => {
          left = once(res, 'close');
          res.write('data: 1\n\ndata: 2\n\n');
        }),
      );
      for await (const { data } of stream) if (data === '1') break;
      assert.equal(stream.ended, 'close');
      await left;
    });
  });
});
