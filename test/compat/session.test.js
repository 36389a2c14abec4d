'use strict';

const assert = require('node:assert/strict');
const { once } = require('node:events');
const { UUID, forBoth, staged, take, when } = require('./support');

forBoth('Session', (lib) => {
  const stage = staged(lib);

  describe('begins', () => {
    it('a moment after it is made: not connected, nothing sent, headers still to be set', async () => {
      let seen;
      const url = stage().route((req, res) => {
        const session = new lib.Session(req, res);
        seen = [session.isConnected, res.headersSent];
        res.setHeader('X-Late', 'yes');
        session.on('connected', () => seen.push(session.isConnected, res.headersSent));
      });
      const stream = await stage().read(url);
      assert.deepEqual(seen, [false, false, true, true]);
      assert.equal(stream.headers['x-late'], 'yes');
    });

    it('connected, as createSession resolves', async () => {
      const { session, res } = await stage().open();
      assert.deepEqual([session.isConnected, res.headersSent], [true, true]);
      assert(session instanceof lib.Session);
    });

    it('with headers that no cache and no proxy keeps', async () => {
      const { stream } = await stage().open();
      const { headers } = stream;
      assert.equal(stream.status, 200);
      assert.equal(headers['content-type'], 'text/event-stream');
      const noCache = 'private, no-cache, no-store, no-transform, must-revalidate, max-age=0';
      assert.equal(headers['cache-control'], noCache);
      assert.deepEqual([headers.pragma, headers['x-accel-buffering']], ['no-cache', 'no']);
    });

    it('with the headers of the options over these, some of them removed', async () => {
      const headers = { 'X-A': 'a', 'cache-control': 'no-store', pragma: undefined };
      const { stream } = await stage().open({ headers });
      assert.equal(stream.headers['x-a'], 'a');
      assert.equal(stream.headers['cache-control'], 'no-store');
      assert.equal('pragma' in stream.headers, false);
    });

    it('with another status', async () => {
      const { stream, session } = await stage().open({
        statusCode: 202,
        headers: { Location: '/x' },
      });
      assert.deepEqual([stream.status, stream.headers.location], [202, '/x']);
      session.push(1, 'e', 'i');
      assert.deepEqual(await take(stream, 1), [['e', 'i', '1']]);
    });

    it('with a delay of 2 s to come back, another one, or none', async () => {
      for (const [options, ms] of [
        [{}, 2_000],
        [{ retry: 5 }, 5],
        [{ retry: 0 }, 0],
        [{ retry: null }, null],
      ]) {
        const { stream, session } = await stage().open(options);
        session.push(1);
        await stream.next();
        assert.equal(stream.retry, ms);
      }
    });

    it('with padding for polyfills that ask for it', async () => {
      for (const [query, length] of [
        ['padding=true', 2_049],
        ['evs_preamble', 2_056],
      ]) {
        const { stream, session } = await stage().open({}, { query: `?${query}` });
        session.push(1);
        await stream.next();
        assert(
          stream.comments.some((text) => text.trim() === '' && text.length >= length - 1),
          query,
        );
      }
    });

    it('writes comments while it is silent', async () => {
      const { stream } = await stage().open({ keepAlive: 20, retry: null });
      await when(() => stream.comments.length >= 3, 'three comments');
    });

    it('with the state that it is given, or an empty one', async () => {
      const state = { user: 5 };
      assert.equal((await stage().open({ state })).session.state, state);
      assert.deepEqual((await stage().open()).session.state, {});
    });

    it('is an error without a request and a response', async () => {
      for (const args of [[], [{}, {}], [null, null]]) {
        assert.throws(() => new lib.Session(...args), lib.SseError);
        await assert.rejects(lib.createSession(...args), lib.SseError);
      }
    });
  });

  describe('lastId', () => {
    const headers = { 'Last-Event-ID': 'h' };

    it("is the client's at first, by header or by the field of a polyfill", async () => {
      const idOf = async (options, request) =>
        (await stage().open(options, request)).session.lastId;
      assert.equal(await idOf({}, { headers }), 'h');
      assert.equal(await idOf({}, { query: '?lastEventId=q' }), 'q');
      assert.equal(await idOf({}, { query: '?evs_last_event_id=e' }), 'e');
      assert.equal(await idOf({}, { headers, query: '?lastEventId=q' }), 'h');
      assert.equal(await idOf({}, {}), '');
    });

    it('is empty where the client is not trusted', async () => {
      const { session } = await stage().open({ trustClientEventId: false }, { headers });
      assert.equal(session.lastId, '');
    });

    it('is that of the last push', async () => {
      const { session, stream } = await stage().open();
      session.push(1, 'e', 'one');
      assert.equal(session.lastId, 'one');
      session.push(2);
      const events = await take(stream, 2);
      assert.equal(session.lastId, events[1][1]);
    });
  });

  describe('push', () => {
    it('sends JSON as `message` with a random id', async () => {
      const { session, stream } = await stage().open();
      session
        .push('text')
        .push({ a: [1, null] })
        .push(null)
        .push(5);
      const events = await take(stream, 4);
      assert.deepEqual(
        events.map(([, , data]) => data),
        ['"text"', '{"a":[1,null]}', 'null', '5'],
      );
      for (const [event, id] of events) {
        assert.equal(event, 'message');
        assert.match(id, UUID);
      }
      assert.equal(new Set(events.map(([, id]) => id)).size, 4);
    });

    it('sends a name and an id', async () => {
      const { session, stream } = await stage().open();
      session.push('a', 'name', 'id 7').push('b', undefined, 'x');
      assert.deepEqual(await take(stream, 2), [
        ['name', 'id 7', '"a"'],
        ['message', 'x', '"b"'],
      ]);
    });

    it('trims line breaks at the end of a name and an id', async () => {
      const { session, stream } = await stage().open();
      session.push('a', 'name\n\n', 'id\r\n');
      assert.deepEqual(await take(stream, 1), [['name', 'id', '"a"']]);
    });

    it('sends an empty id', async () => {
      const { session, stream } = await stage().open();
      session.push('a', 'e', 'before').push('b', 'e', '');
      await take(stream, 2);
      assert.deepEqual([session.lastId, stream.lastEventId], ['', '']);
    });

    it('sends what the serializer makes, through the sanitizer', async () => {
      const serializer = (data) => `<${data}>`;
      const sanitizer = (text) => text.toUpperCase();
      const { session, stream } = await stage().open({ serializer, sanitizer });
      session.push('d', 'e', 'i');
      assert.deepEqual(await take(stream, 1), [['E', 'I', '<D>']]);
    });

    it('throws what cannot be JSON, and sends nothing', async () => {
      const { session, stream } = await stage().open();
      const circle = {};
      circle.circle = circle;
      for (const data of [circle, 1n, undefined, () => {}]) {
        assert.throws(() => session.push(data), TypeError);
      }
      for (const args of [
        [1, 5],
        [1, 'e', 5],
        [1, null],
      ]) {
        assert.throws(() => session.push(...args), TypeError);
      }
      session.push('next');
      assert.equal((await stream.next()).data, '"next"');
    });

    it('is told by an event', async () => {
      const { session } = await stage().open();
      const told = [];
      session.on('push', (...args) => told.push(args));
      const data = { a: 1 };
      session.push(data, 'e', 'i').push(2);
      assert.equal(told[0][0], data);
      assert.deepEqual(told[0].slice(1), ['e', 'i']);
      assert.deepEqual(told[1], [2, 'message', session.lastId]);
    });

    it('throws what a listener throws', async () => {
      const { session } = await stage().open();
      session.on('push', () => {
        throw new Error('of the listener');
      });
      assert.throws(() => session.push(1), /of the listener/);
    });

    it('may be taken off its session', async () => {
      const { session, stream } = await stage().open();
      const { push } = session;
      for (const data of ['a', 'b']) push(data);
      assert.deepEqual(
        (await take(stream, 2)).map((event) => event[2]),
        ['"a"', '"b"'],
      );
    });

    it('is an error before the session has connected', async () => {
      let early;
      const url = stage().route((req, res) => {
        const session = new lib.Session(req, res);
        early = assert.throws(() => session.push(1), lib.SseError) ?? true;
      });
      await stage().read(url);
      assert.equal(early, true);
    });
  });

  describe('ends', () => {
    it('when its reader leaves: disconnected, and a push is an error', async () => {
      const { session, stream } = await stage().open();
      let connected;
      session.on('disconnected', () => {
        connected = session.isConnected;
      });
      stream.close();
      await once(session, 'disconnected');
      assert.deepEqual([connected, session.isConnected], [false, false]);
      assert.throws(() => session.push(1), lib.SseError);
      await assert.rejects(session.iterate([1]), lib.SseError);
    });

    it('when its response is ended, behind all that was sent', async () => {
      const { session, stream, res } = await stage().open();
      session.push('last', 'e', 'i');
      res.end();
      const [events] = await Promise.all([take(stream, 1), once(session, 'disconnected')]);
      assert.deepEqual(events, [['e', 'i', '"last"']]);
      assert.equal(await stream.end(), 'end');
    });

    it('when its response is destroyed; what is pushed in that moment is lost without an error', async () => {
      const { session, res } = await stage().open();
      res.destroy();
      session.push('lost');
      await once(session, 'disconnected');
      assert.equal(session.isConnected, false);
    });

    it('when its reader was gone before it began', async () => {
      let ended;
      const url = stage().route(async (req, res) => {
        const made = lib.createSession(req, res);
        res.destroy();
        const session = await made;
        session.push('lost');
        ended = once(session, 'disconnected');
      });
      await assert.rejects(stage().read(url));
      await when(() => ended !== undefined, 'a session');
      await ended;
    });

    it('keeps its last id', async () => {
      const { session, stream } = await stage().open();
      session.push(1, 'e', 'last');
      stream.close();
      await once(session, 'disconnected');
      assert.equal(session.lastId, 'last');
    });
  });

  describe('getRequest, getResponse', () => {
    it('are those of the Fetch API, made from those of Node', async () => {
      const made = stage().open(
        { statusCode: 202, headers: { 'X-O': 'o' } },
        { query: '?q=1', headers: { 'X-Q': 'y' } },
      );
      const { session } = await made;
      const request = session.getRequest();
      assert.equal(new URL(request.url).host, new URL(stage().url).host);
      assert.equal(new URL(request.url).search, '?q=1');
      assert.deepEqual([request.method, request.headers.get('x-q')], ['GET', 'y']);
      assert.equal(session.getRequest(), request);
      const response = session.getResponse();
      assert.deepEqual(
        [response.status, response.headers.get('x-o'), response.body],
        [202, 'o', null],
      );
      assert.equal(response.headers.get('content-type'), 'text/event-stream');
      assert.equal(session.getResponse(), response);
    });

    it('know the headers that were set on the response', async () => {
      let session;
      const url = stage().route(async (req, res) => {
        res.setHeader('X-Mine', 'm');
        session = await lib.createSession(req, res);
      });
      const stream = await stage().read(url);
      assert.equal(stream.headers['x-mine'], 'm');
      assert.equal(session.getResponse().headers.get('x-mine'), 'm');
    });

    it('abort with the session', async () => {
      const { session, stream } = await stage().open();
      const { signal } = session.getRequest();
      assert.equal(signal.aborted, false);
      stream.close();
      await once(session, 'disconnected');
      await when(() => signal.aborted, 'an aborted signal');
    });
  });
});
