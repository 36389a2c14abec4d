'use strict';

// The table of docs/recipes/from-better-sse.md: where fanline/compat/better-sse is not what better-sse is.

const assert = require('node:assert/strict');
const { once } = require('node:events');
const http = require('node:http');
const net = require('node:net');
const lib = require('fanline/compat/better-sse');
const { staged, take, when } = require('./support');

const { hub } = lib;

describe('What differs from better-sse', () => {
  const stage = staged(lib);

  describe('a broadcast', () => {
    it('is one call into C, one encoding and one serialisation, however many listen', async () => {
      let serialised = 0;
      const serializer = (data) => {
        serialised++;
        return JSON.stringify(data);
      };
      const channel = lib.createChannel();
      const list = await Promise.all(
        Array.from({ length: 20 }, () => stage().open({ serializer })),
      );
      for (const { session } of list) channel.register(session);
      await when(() => hub.stats().clients === 20, 'twenty clients');
      const before = hub.stats();
      channel.broadcast('a');
      const after = hub.stats();
      assert.equal(after.crossings - before.crossings, 1);
      assert.equal(after.encodes - before.encodes, 1);
      assert.equal(serialised, 1);
      await Promise.all(list.map(({ stream }) => take(stream, 1)));
    });

    it('is a call for each serializer, and with a filter for those chosen', async () => {
      const channel = lib.createChannel();
      for (const options of [{}, {}, { serializer: String }, { serializer: String }]) {
        channel.register((await stage().open(options)).session);
      }
      const crossings = (options) => {
        const before = hub.stats().crossings;
        channel.broadcast('a', 'e', options);
        return hub.stats().crossings - before;
      };
      assert.equal(crossings(), 2);
      assert.equal(crossings({ filter: () => true }), 2);
      assert.equal(crossings({ filter: () => false }), 0);
    });

    it('does not call `push` of each session', async () => {
      const channel = lib.createChannel();
      const { session, stream } = await stage().open();
      channel.register(session);
      session.push = () => assert.fail('called');
      channel.broadcast('a');
      assert.equal((await stream.next()).data, '"a"');
    });
  });

  describe('a channel', () => {
    it('tells once that a session has disconnected, and not after it was deregistered', async () => {
      const channel = lib.createChannel();
      const told = [];
      channel.on('session-disconnected', (session) => told.push(session));
      const a = await stage().open();
      const b = await stage().open();
      channel.register(a.session).deregister(a.session).register(a.session);
      channel.register(b.session).deregister(b.session);
      const ended = [once(a.session, 'disconnected'), once(b.session, 'disconnected')];
      a.stream.close();
      b.stream.close();
      await Promise.all(ended);
      assert.deepEqual(told, [a.session]);
    });

    it('may be told of the one that has disconnected, by a broadcast in that event', async () => {
      const channel = lib.createChannel();
      const gone = await stage().open();
      const { session, stream } = await stage().open();
      channel.register(gone.session).register(session);
      channel.on('session-disconnected', () => channel.broadcast('left'));
      gone.stream.close();
      assert.equal((await stream.next()).data, '"left"');
    });
  });

  describe('text', () => {
    it('of several lines arrives whole', async () => {
      const { session, stream } = await stage().open({ serializer: String });
      session.push('one\ntwo\r\n\r\nthree\rfour\n');
      await session.batch((buffer) => {
        buffer.push('five\nsix');
      });
      const events = await take(stream, 2);
      assert.deepEqual(
        events.map((event) => event[2]),
        ['one\ntwo\n\nthree\nfour', 'five\nsix'],
      );
      const text = lib
        .createEventBuffer({ serializer: String })
        .data('a\nb')
        .comment('c\nd')
        .read();
      assert.equal(text, 'data:a\ndata:b\n:c\n:d\n');
    });

    it('with a line break in a name or an id is refused', async () => {
      const { session, stream } = await stage().open();
      const channel = lib.createChannel().register(session);
      const refused = { name: 'TypeError', code: 'ERR_FAN_ARG' };
      const attack = 'x\ndata: forged\n\n';
      assert.throws(() => session.push(1, `${attack}.`), refused);
      assert.throws(() => session.push(1, 'e', `${attack}.`), refused);
      assert.throws(() => channel.broadcast(1, `${attack}.`), refused);
      assert.throws(() => channel.broadcast(1, 'e', { eventId: `${attack}.` }), refused);
      assert.throws(() => lib.createEventBuffer().event(`${attack}.`), refused);
      assert.throws(() => lib.createEventBuffer().id(`${attack}.`), refused);
      session.push('next');
      assert.equal((await stream.next()).data, '"next"');
    });

    it('beginning `fanline:` is no name and no id of yours', async () => {
      const { session } = await stage().open();
      assert.throws(() => session.push(1, 'fanline:end'), { code: 'ERR_FAN_ARG' });
      assert.throws(() => session.push(1, 'e', 'fanline:1'), { code: 'ERR_FAN_ARG' });
    });

    it('has blanks behind its colons, and no blank line without data', async () => {
      const { session, stream } = await stage().open();
      session.push('a', 'e', 'i');
      await stream.next();
      assert.equal(stream.text, 'retry: 2000\nid: i\nevent: e\ndata: "a"\n\n');
    });
  });

  describe('a buffer', () => {
    it('keeps to itself what is not dispatched or has no data', async () => {
      const { session, stream } = await stage().open();
      await session.batch((buffer) => {
        buffer.id('lone').dispatch().event('part').data(1);
      });
      session.push('next', 'e', 'i');
      assert.deepEqual(await take(stream, 1), [['e', 'i', '"next"']]);
      assert(!stream.text.includes('lone'));
    });

    it('that is sent before the session has connected goes nowhere', async () => {
      const url = stage().route(async (req, res) => {
        const session = new lib.Session(req, res);
        await session.batch(lib.createEventBuffer().push('early'));
        session.once('connected', () => session.push('first'));
      });
      const stream = await stage().read(url);
      assert.equal((await stream.next()).data, '"first"');
    });

    it('refuses a delay that is none', () => {
      for (const time of [-1, 1.5, Number.NaN, undefined, '5']) {
        assert.throws(() => lib.createEventBuffer().retry(time), { code: 'ERR_FAN_RANGE' });
      }
    });
  });

  describe('a head', () => {
    it('leaves `Connection` to Node, so that a client that wants to close may', async () => {
      const url = stage().route((req, res) => lib.createSession(req, res));
      const one = await stage().read(url, { headers: { Connection: 'close' } });
      assert.equal(one.headers.connection, 'close');
    });

    it('of 204 or 304 is the whole answer; the session ends', async () => {
      for (const statusCode of [204, 304]) {
        let session;
        const url = stage().route(async (req, res) => {
          session = await lib.createSession(req, res, {
            statusCode,
            headers: { 'X-A': 'a', pragma: undefined },
          });
          session.push('lost');
        });
        const agent = new http.Agent({ keepAlive: true });
        const answer = await new Promise((resolve, reject) => {
          http.get(url, { agent }, resolve).on('error', reject);
        });
        assert.deepEqual([answer.statusCode, answer.headers['x-a']], [statusCode, 'a']);
        assert.equal('pragma' in answer.headers, false);
        answer.resume();
        await once(answer, 'end');
        if (session.isConnected) await once(session, 'disconnected');
        assert.throws(() => session.push(1), lib.SseError);
        assert.equal(session.client.closed, 'server'); // the connection goes on
        agent.destroy();
      }
      const answer = lib.createResponse(new Request('http://x/'), { statusCode: 204 }, () => {});
      assert.deepEqual([answer.status, answer.body], [204, null]);
    });

    it('that is out already rejects createSession', async () => {
      let made;
      const url = stage().route((req, res) => {
        res.write('x');
        made = lib.createSession(req, res);
        made.catch(() => res.end());
      });
      await stage().read(url);
      await assert.rejects(made, { code: 'ERR_FAN_HEADERS_SENT' });
    });

    it('asked for with HEAD is the whole answer', async () => {
      const stream = await stage().read(
        stage().route((req, res) => lib.createSession(req, res)),
        { method: 'HEAD' },
      );
      assert.equal(stream.headers['content-type'], 'text/event-stream');
      assert.equal(await stream.end(), 'end');
    });
  });

  describe('an end', () => {
    it('takes a push behind res.end() without an error, and drops it', async () => {
      const { session, stream, res } = await stage().open();
      session.push('last');
      res.end();
      session.push('late');
      await once(session, 'disconnected');
      await stream.end();
      assert.deepEqual(
        stream.events.map(({ data }) => data),
        ['"last"'],
      );
    });

    it('of a Fetch API stream is told by whoever cancels it', async () => {
      const session = await lib.createSession(new Request('http://x/'));
      await once(session, 'connected');
      const ended = once(session, 'disconnected');
      await session.getResponse().body.cancel();
      await ended;
      assert.equal(session.isConnected, false);
    });

    it('comes to a reader that takes nothing; the others go on', async function () {
      this.timeout(20_000);
      const channel = lib.createChannel();
      let slow;
      const url = stage().route(async (req, res) => {
        slow = await lib.createSession(req, res);
        channel.register(slow);
      });
      const socket = net.connect(new URL(url).port, '127.0.0.1').pause();
      socket.on('error', () => {});
      socket.write(`GET ${new URL(url).pathname} HTTP/1.1\r\nHost: x\r\n\r\n`);
      await when(() => channel.sessionCount === 1, 'a session');
      const { session, stream } = await stage().open();
      channel.register(session);
      const data = 'x'.repeat(1 << 20);
      for (let i = 0; i < 40 && slow.isConnected; i++) {
        channel.broadcast(data, 'e', { eventId: String(i) });
        assert.equal((await stream.next()).id, String(i));
      }
      await when(() => !slow.isConnected, 'the end of the slow one');
      assert.equal(slow.client.closed, 'slow');
      assert.deepEqual([channel.sessionCount, session.isConnected], [1, true]);
      socket.destroy();
    });
  });

  describe('iterate', () => {
    it('waits for its reader, and for one that stops reading it stops', async () => {
      let given = 0;
      let done;
      let session;
      const endless = async function* () {
        for (;;) {
          given++;
          yield 'x'.repeat(1_000);
        }
      };
      const url = stage().route(async (req, res) => {
        session = await lib.createSession(req, res);
        done = session.iterate(endless());
        done.catch(() => {});
      });
      const socket = net.connect(new URL(url).port, '127.0.0.1').pause();
      socket.on('error', () => {});
      socket.write(`GET ${new URL(url).pathname} HTTP/1.1\r\nHost: x\r\n\r\n`);
      await when(() => session?.client.bufferedBytes > 64 * 1024, 'a full queue');
      let before;
      await when(() => {
        const same = before === given;
        before = given;
        return same;
      }, 'a source that is left alone');
      assert(session.client.bufferedBytes < 1 << 20, `${session.client.bufferedBytes} bytes wait`);
      socket.destroy();
      await assert.rejects(done, lib.SseError);
    });
  });

  describe('a session', () => {
    it('shows its client, of a hub that is exported', async () => {
      const { session } = await stage().open();
      assert.equal(hub.clients.get(session.client.id), session.client);
      assert.equal(session.client.transport, 'fd');
    });

    it('writes no comments to whom it writes something else', async () => {
      const { session, stream } = await stage().open({ keepAlive: 300, retry: 1 });
      for (let i = 0; i < 35; i++) {
        session.push(i);
        await stream.next();
        await new Promise((resolve) => setTimeout(resolve, 10));
      }
      assert.deepEqual(stream.comments, []);
    });
  });
});
