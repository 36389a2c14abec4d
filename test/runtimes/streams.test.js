'use strict';

// A hub in a process of Bun or Deno, over their layers of Node and over their own servers; what it sends is read by Node.

const assert = require('node:assert/strict');
const { open } = require('../js/support/open');
const { RUNTIMES, start } = require('./support/runtime');

const CAUSES = { http: 'descriptor', https: 'tls', http2: 'http2' };
const EVENTS = 320; // of 64 KiB: 20 MiB, more than the kernel keeps for a reader that has stopped
const READER = { timeout: 10_000 };

for (const runtime of RUNTIMES) {
  for (const way of [...Object.keys(CAUSES), runtime.native]) {
    describe(`${runtime.name}, ${way}`, () => {
      let program;
      let streams;

      afterEach(async () => {
        for (const stream of streams) stream.close();
        if (program) await program.kill();
      });

      async function begin(options) {
        program = undefined;
        streams = [];
        program = await start(runtime, way, options);
      }

      /** A stream and the number of its client. */
      async function read(query = '', options = {}) {
        const number = streams.length;
        const http2 = way === 'http2';
        const stream = await open(program.url + query, { ...READER, http2, ...options });
        streams.push(stream);
        await program.told('opened', number);
        return stream;
      }

      it('is on relay, with the headers of an event stream', async () => {
        await begin({ retry: 3_000 });
        const stream = await read();
        assert.equal(stream.status, 200);
        assert.equal(stream.headers['content-type'], 'text/event-stream');
        assert.equal(stream.headers['cache-control'], 'no-cache, no-transform');
        assert.equal(await program.told('opened', 0), 'relay');
        assert.deepEqual(await program.do('relay'), { [CAUSES[way] ?? 'fetch']: 1 });
        await stream.until(() => stream.text === 'retry: 3000\n');
      });

      it('sends to rooms, users and single clients, each what is for them, in order', async () => {
        await begin();
        const ann = await read('/?room=a&user=ann');
        const bob = await read('/?room=a&room=b&user=bob');
        assert.equal(await program.do('toRoom', 'a', 'one'), 2);
        assert.equal(await program.do('toRoom', 'b', 'two', { event: 'news' }), 1);
        assert.equal(await program.do('toUser', 'ann', { three: 'é 😀\n' }), 1);
        await program.do('toClient', 1, 'a\nb', { id: '7' });
        await program.do('leave', 1, 'a');
        assert.equal(await program.do('toRoom', 'a', 'four'), 1);
        assert.equal(await program.do('broadcast', 'end'), 2);
        assert.deepEqual(await ann.data(4), ['one', '{"three":"é 😀\\n"}', 'four', 'end']);
        assert.deepEqual(await bob.take(4), [
          { data: 'one' },
          { data: 'two', event: 'news' },
          { data: 'a\nb', id: '7' },
          { data: 'end' },
        ]);
      });

      it('ends a stream in order, behind what it has sent', async () => {
        await begin();
        const stream = await read();
        await program.do('toClient', 0, 'last but one');
        await program.do('end', 0, { data: 'last' });
        assert.deepEqual(await stream.data(2), ['last but one', 'last']);
        assert.equal(await stream.end(), 'end');
        assert.equal(await program.told('closed', 0), 'server');
      });

      it('notices a reader that leaves', async () => {
        await begin();
        const stream = await read();
        await read();
        stream.close();
        assert.equal(await program.told('closed', 0), 'client');
        assert.equal(await program.do('broadcast', 'x'), 1);
      });

      it('gives a reader that returns what it has missed, once', async () => {
        await begin({ history: { events: 100 } });
        const first = await read('/?room=a');
        await program.do('toRoom', 'a', 1);
        await first.data(1);
        first.close();
        await program.told('closed', 0);
        for (const data of [2, 3]) await program.do('toRoom', 'a', data);
        const { lastEventId } = first;
        const second = await read('/?room=a', { headers: { 'Last-Event-ID': lastEventId } });
        await program.do('toRoom', 'a', 4);
        assert.deepEqual(await second.data(3), ['2', '3', '4']);
        assert.deepEqual(second.events, []);
      });

      it('sends heartbeats', async () => {
        await begin({ heartbeat: 30 });
        const stream = await read();
        await stream.until(() => stream.comments.length >= 4);
      });

      it('hub.close() ends every stream in order, and the process ends by itself', async () => {
        await begin({ retry: 3_000 });
        const [one, two] = [await read(), await read()];
        await program.do('broadcast', 'bye');
        assert.deepEqual(await program.do('closeHub', { grace: 1_000 }), { ended: 2, cut: 0 });
        for (const stream of [one, two]) {
          assert.deepEqual(await stream.data(1), ['bye']);
          assert.equal(await stream.end(), 'end');
          assert.match(stream.text, /\nretry: \d+\n$/);
        }
        await program.quit();
      });

      it('waits for a reader that has stopped, and loses nothing when it reads on', async () => {
        await begin({ limits: { queueBytes: 64 << 20 } });
        const stream = await read();
        stream.pause();
        assert((await program.do('bulk', 0, EVENTS)) > 0);
        const { bufferedBytes, closed } = await program.do('state', 0);
        assert(bufferedBytes > 4 << 20, `${bufferedBytes} bytes wait`);
        assert.equal(closed, null);
        const drained = program.do('drain', 0);
        stream.resume();
        assert.equal(await drained, true);
        const data = await stream.data(EVENTS);
        assert.deepEqual(
          data.map((text) => Number.parseInt(text, 10)),
          data.map((_text, i) => i),
        );
      });

      it('drain() answers false when a reader that has stopped leaves', async () => {
        await begin({ limits: { queueBytes: 64 << 20 } });
        const stream = await read();
        stream.pause();
        await program.do('bulk', 0, EVENTS);
        const drained = program.do('drain', 0);
        stream.close();
        assert.equal(await drained, false);
        const { bufferedBytes, closed, size } = await program.do('state', 0);
        assert.deepEqual([bufferedBytes, closed, size], [0, 'client', 0]);
      });

      it('ends a reader that has stopped as stalled, and out of order', async () => {
        await begin({ limits: { queueBytes: 64 << 20, stallTimeout: 300 } });
        const stream = await read();
        stream.pause();
        await program.do('bulk', 0, EVENTS);
        assert.equal(await program.told('closed', 0), 'stalled');
        stream.resume();
        assert.notEqual(await stream.end(), 'end');
      });

      it('ends a reader past limits.queueBytes as slow, and delays no other', async () => {
        await begin({ limits: { queueBytes: 1 << 20 } });
        const stream = await read();
        stream.pause();
        await program.do('bulk', 0, EVENTS);
        assert.equal(await program.told('closed', 0), 'slow');
        assert((await program.do('drops')).slow.events > 0);
        const other = await read();
        await program.do('broadcast', 'on');
        assert.deepEqual(await other.data(1), ['on']);
        stream.resume();
        assert.notEqual(await stream.end(), 'end');
      });
    });
  }
}

describe('Bun, Bun.serve', () => {
  it('cuts a stream that is silent for its idleTimeout, unless server.timeout(request, 0) forbids it', async () => {
    const [bun] = RUNTIMES;
    const program = await start(bun, bun.native);
    const streams = [];
    try {
      for (const path of ['/', '/?idle']) streams.push(await open(program.url + path, READER));
      await program.told('opened', 1);
      assert.equal(await program.told('closed', 1), 'client');
      assert.notEqual(await streams[1].end(), 'end');
      assert.equal(await program.do('broadcast', 'on'), 1);
      assert.deepEqual(await streams[0].data(1), ['on']);
    } finally {
      for (const stream of streams) stream.close();
      await program.kill();
    }
  });
});
