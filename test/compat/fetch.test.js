'use strict';

// Sessions of what is no request of http: the Fetch API, HTTP/2, and connections of the application's own.

const assert = require('node:assert/strict');
const { once } = require('node:events');
const http = require('node:http');
const http2 = require('node:http2');
const testing = require('fanline/testing');
const { forBoth, take } = require('./support');

// Cancelled, a stream of better-sse does not end its session, whose timer would keep the process.
const SILENT = { keepAlive: null };
const URL_OF = 'http://host.example/path?q=1';

forBoth('Fetch API', (lib) => {
  const streams = [];
  afterEach(() => {
    for (const stream of streams.splice(0)) stream.close();
  });

  async function open(fetch, options) {
    const stream = await testing.open({ fetch }, { method: 'GET', ...options });
    streams.push(stream);
    return stream;
  }

  describe('createResponse', () => {
    it('answers a Response, and gives the session once it has connected', async () => {
      const stream = await open((request) =>
        lib.createResponse(request, SILENT, (session) => {
          assert.equal(session.isConnected, true);
          session.push('a', 'e', 'i');
        }),
      );
      assert.deepEqual(await take(stream, 1), [['e', 'i', '"a"']]);
      assert.deepEqual([stream.status, stream.headers['content-type']], [200, 'text/event-stream']);
      assert.equal(stream.retry, 2_000);
    });

    it('takes options, and a response whose status and headers are kept', async () => {
      const given = () =>
        new Response(null, { status: 203, headers: { 'X-R': 'r', 'X-O': 'r', Pragma: 'p' } });
      const options = { headers: { 'X-O': 'o' }, state: { a: 1 }, retry: 5, ...SILENT };
      const states = [];
      const callback = (session) => {
        states.push(session.state);
        session.push(1);
      };
      const both = await open((request) => lib.createResponse(request, given(), options, callback));
      assert.deepEqual([both.status, both.headers['x-r'], both.headers['x-o']], [203, 'r', 'o']);
      await take(both, 1);
      assert.equal(both.retry, 5);
      const one = await open((request) => lib.createResponse(request, options, callback));
      assert.deepEqual([one.status, one.headers['x-o']], [200, 'o']);
      const other = await open((request) => lib.createResponse(request, given(), SILENT, callback));
      assert.deepEqual([other.status, other.headers['x-o']], [203, 'r']);
      assert.deepEqual([other.headers.pragma, one.headers.pragma], ['p', 'no-cache']);
      await Promise.all([take(one, 1), take(other, 1)]);
      assert.deepEqual(states, [{ a: 1 }, { a: 1 }, {}]);
    });

    it('is an error without a callback, or a request', () => {
      const request = new Request(URL_OF);
      for (const args of [[request], [request, {}], [5, () => {}]]) {
        assert.throws(() => lib.createResponse(...args), lib.SseError);
      }
    });
  });

  describe('createSession', () => {
    it('resolves before the session has connected', async () => {
      const request = new Request(URL_OF, { headers: { 'Last-Event-ID': 'L' } });
      const session = await lib.createSession(request, SILENT);
      assert.deepEqual([session.isConnected, session.lastId], [false, 'L']);
      assert.throws(() => session.push(1), lib.SseError);
      assert(session.getResponse() instanceof Response);
      assert.equal(session.getRequest().url, URL_OF);
      await once(session, 'connected');
      assert.equal(session.isConnected, true);
      session
        .getResponse()
        .body.cancel()
        .catch(() => {});
    });

    it('ends when the request is aborted', async () => {
      const controller = new AbortController();
      const session = await lib.createSession(
        new Request(URL_OF, { signal: controller.signal }),
        undefined,
        SILENT,
      );
      await once(session, 'connected');
      controller.abort();
      if (session.isConnected) await once(session, 'disconnected');
      assert.throws(() => session.push(1), lib.SseError);
    });

    it('goes into a channel with others', async () => {
      const channel = lib.createChannel();
      const stream = await open(async (request) => {
        const session = await lib.createSession(request, SILENT);
        session.on('connected', () =>
          channel.register(session).broadcast('a', 'e', { eventId: 'i' }),
        );
        return session.getResponse();
      });
      assert.deepEqual(await take(stream, 1), [['e', 'i', '"a"']]);
    });
  });
});

forBoth('HTTP/2', (lib) => {
  it('is a session as over HTTP/1.1', async () => {
    let session;
    const server = http2.createServer(async (req, res) => {
      session = await lib.createSession(req, res, { headers: { 'X-A': 'a' }, ...SILENT });
      session.push('a', 'e', 'i');
    });
    await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
    const url = `http://127.0.0.1:${server.address().port}/p?lastEventId=4`;
    const stream = await testing.open(url, { http2: true });
    assert.deepEqual(await take(stream, 1), [['e', 'i', '"a"']]);
    assert.deepEqual([stream.status, stream.headers['x-a']], [200, 'a']);
    assert.equal(new URL(session.getRequest().url).search, '?lastEventId=4');
    stream.close();
    if (session.isConnected) await once(session, 'disconnected');
    assert.equal(session.isConnected, false);
    await new Promise((resolve) => server.close(resolve));
  });
});

forBoth('Connection', (lib) => {
  class Own extends lib.Connection {
    url = new URL(URL_OF);
    controller = new AbortController();
    request = new Request(this.url, {
      headers: { 'Last-Event-ID': '5' },
      signal: this.controller.signal,
    });
    response = new Response(null, { status: 201 });
    heads = 0;
    text = '';
    cleaned = 0;

    sendHead() {
      this.heads++;
    }

    sendChunk(chunk) {
      this.text += chunk;
    }

    cleanup() {
      this.cleaned++;
    }
  }

  it('of the application is a session of its own', async () => {
    const connection = new Own();
    const session = await lib.createSession(connection, SILENT);
    assert.deepEqual([session.isConnected, session.lastId, connection.heads], [true, '5', 1]);
    session.push(`a${'ä'.repeat(20_000)}`, 'e', 'i');
    const limit = Date.now() + 5_000;
    while (!connection.text.endsWith('"\n\n') && Date.now() < limit) {
      await new Promise((resolve) => setTimeout(resolve, 2));
    }
    assert.match(connection.text, /^retry: ?2000\n/);
    assert.match(connection.text, /\nid: ?i\n/);
    assert.match(connection.text, /\ndata: ?"aä{20000}"\n/);
    assert.deepEqual(
      [session.getRequest() === connection.request, session.getResponse() === connection.response],
      [true, true],
    );
    connection.controller.abort();
    if (session.isConnected) await once(session, 'disconnected');
    assert.equal(connection.cleaned, 1);
  });

  it('of Node can be extended', async () => {
    const chunks = [];
    class Logged extends lib.NodeHttp1Connection {
      sendChunk = (chunk) => {
        chunks.push(chunk);
        this.ownRes.write(chunk);
      };
    }
    const server = http.createServer(async (req, res) => {
      const connection = new Logged(req, res, { statusCode: 202, headers: { 'X-A': 'a' } });
      connection.ownRes = res;
      const session = await lib.createSession(connection, SILENT);
      session.push('a', 'e', 'i');
    });
    await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
    const stream = await testing.open(`http://127.0.0.1:${server.address().port}/`);
    assert.deepEqual([stream.status, stream.headers['x-a']], [202, 'a']);
    assert.deepEqual(await take(stream, 1), [['e', 'i', '"a"']]);
    assert.match(chunks.join(''), /data: ?"a"\n/);
    stream.close();
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });

  it('of HTTP/2 and of the Fetch API send by themselves', async () => {
    const server = http2.createServer(async (req, res) => {
      const session = await lib.createSession(new lib.NodeHttp2CompatConnection(req, res), SILENT);
      session.push('a', 'e', 'i');
    });
    await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
    const stream = await testing.open(`http://127.0.0.1:${server.address().port}/`, {
      http2: true,
    });
    assert.deepEqual(await take(stream, 1), [['e', 'i', '"a"']]);
    stream.close();
    await new Promise((resolve) => server.close(resolve));

    const fetch = async (request) => {
      const connection = new lib.FetchConnection(request, null, { headers: { 'X-A': 'a' } });
      const session = await lib.createSession(connection, SILENT);
      session.push('a', 'e', 'i');
      return connection.response;
    };
    const other = await testing.open({ fetch }, { method: 'GET' });
    assert.equal(other.headers['x-a'], 'a');
    assert.deepEqual(await take(other, 1), [['e', 'i', '"a"']]);
    if (lib.hub) other.close(); // cancelled, that of better-sse rejects for nobody to catch
  });

  it('applies headers: a text or a list sets, undefined removes', () => {
    const headers = new Headers({ a: '1', b: '2' });
    lib.Connection.applyHeaders({ a: 'x', b: undefined, c: ['1', '2'] }, headers);
    assert.deepEqual(
      [...headers],
      [
        ['a', 'x'],
        ['c', '1, 2'],
      ],
    );
    assert.equal(lib.Connection.constants.RESPONSE_CODE, 200);
    assert.equal(lib.Connection.constants.RESPONSE_HEADERS['Content-Type'], 'text/event-stream');
  });
});
