'use strict';

// `transport: 'detached'`: what the application sees of a client whose connection Node has let go of. (What every transport does is
// in test/js/suite; what the peer may do in density-peers.test.js.)

const assert = require('node:assert/strict');
const { once } = require('node:events');
const { setImmediate: turn } = require('node:timers/promises');
const express = require('express');
const session = require('express-session');
const morgan = require('morgan');
const { createHub, sse } = require('fanline');
const { dechunk, openRaw } = require('../js/suite/raw');
const { closed, densityStage, get, letGo, peer } = require('../js/support/density');
const { open } = require('../js/support/open');
const { serve } = require('../js/support/serve');
const { when } = require('../js/support/stage');

describe('density mode', () => {
  let stage;
  beforeEach(async () => {
    stage = await densityStage();
  });
  afterEach(() => stage.end());

  it('begins when the handler is through: fd until then, detached a moment later', async () => {
    const seen = [];
    stage.hub.on('connect', (client) => seen.push(client.transport));
    const { path, result } = stage.expect((req, res) => {
      const client = stage.hub.connect(req, res);
      seen.push(client.transport, res.destroyed);
      return client;
    });
    const stream = await stage.open(path);
    const client = await letGo(await result);
    assert.deepEqual(seen, ['fd', 'fd', false]);
    assert.equal(stage.hub.stats().detached, 1);
    assert.deepEqual(stage.hub.stats().relay, {});
    client.send('on');
    assert.equal((await stream.next()).data, 'on');
    client.close();
  });

  it('is asked for by a hub, by one client, and by sse()', async () => {
    const plain = createHub({ retry: false, heartbeat: false });
    const clients = [];
    const server = await serve((req, res) => {
      if (req.url === '/sse') clients.push(sse(req, res, { transport: 'detached' }));
      else clients.push(plain.connect(req, res, { transport: 'detached' }));
    });
    await open(`${server.url}/sse`);
    await open(`${server.url}/hub`);
    for (const client of clients) (await letGo(client)).close();
    const { client } = await peer(stage, { opts: { transport: 'auto' }, isLetGo: false });
    await turn();
    await turn();
    assert.equal(client.transport, 'fd');
    await Promise.all(clients.map(closed));
    await plain.close();
    await server.close();
  });

  it('shows middleware a client that has left, and the client lives', async () => {
    const { path, result } = stage.expect((req, res) => {
      const told = [];
      for (const [name, emitter] of Object.entries({ req, res, socket: req.socket })) {
        emitter.on('close', () => told.push(name));
      }
      return { client: stage.hub.connect(req, res), told, req, res };
    });
    const stream = await stage.open(path);
    const { client, told, req, res } = await result;
    await when(() => told.length === 3, 'three closes');
    assert.equal(res.destroyed, true);
    assert.equal(req.socket.remoteAddress, undefined);
    assert.equal(client.closed, null);
    assert.equal(client.signal.aborted, false);
    client.send('alive');
    assert.equal((await stream.next()).data, 'alive');
    client.close();
    assert.equal(await closed(client), 'server');
  });

  it('holds neither request nor response nor socket', async () => {
    const { path, result } = stage.expect((req, res) => {
      const held = [req, res, req.socket].map((it) => new WeakRef(it));
      return { client: stage.hub.connect(req, res, { rooms: 'r', user: 'u' }), held };
    });
    const stream = await stage.open(path);
    const { client, held } = await result;
    client.signal.addEventListener('abort', () => {});
    client.on('close', () => {});
    await letGo(client);
    await when(() => {
      global.gc();
      return held.every((ref) => ref.deref() === undefined);
    }, 'their collection');
    client.send('still');
    assert.equal((await stream.next()).data, 'still');
    client.close();
  });

  it('closes the connection with the stream, and says so in the head', async () => {
    const { client, raw } = await peer(stage);
    client.send('last');
    client.close();
    await raw.until(() => false);
    const { head, chunks, rest } = dechunk(raw.text);
    assert.match(head, /\r\nConnection: close\r\n/);
    assert.equal(chunks.join(''), ':\ndata: last\n\n');
    assert.equal(rest, '');
    assert.equal(await closed(client), 'server');
  });

  it('leaves a Connection header to the application', async () => {
    const { client, raw } = await peer(stage, { opts: { headers: { connection: 'keep-alive' } } });
    await raw.until((text) => text.includes('\r\n\r\n'));
    assert.match(raw.text, /\r\nconnection: keep-alive\r\n/i);
    assert.doesNotMatch(raw.text, /connection: close/i);
    client.close();
  });

  it('ends as any other when it is closed before the handler is through', async () => {
    const block = 'x'.repeat(64 * 1024);
    const { path, result } = stage.expect((req, res) => {
      const finished = once(res, 'finish');
      const client = stage.hub.connect(req, res);
      for (let i = 0; i < 30; i++) client.send(block);
      client.close();
      return { client, finished };
    });
    const raw = openRaw(stage.url, get(path));
    raw.socket.pause();
    const { client, finished } = await result;
    for (let i = 0; i < 5; i++) await turn();
    raw.socket.resume();
    await finished;
    await raw.until(() => false);
    assert.equal(dechunk(raw.text).rest, '');
    assert.equal(await closed(client), 'server');
    assert.equal(client.transport, 'fd');
    assert.equal(stage.hub.stats().detached, 0);
  });

  it('is cut where the application has failed', async () => {
    await stage.end();
    let fail;
    const snapshot = () =>
      new Promise((_resolve, reject) => {
        fail = reject;
      });
    stage = await densityStage({ snapshot });
    const { client, raw } = await peer(stage);
    const err = new Error('no database');
    const told = once(client, 'close');
    fail(err);
    assert.deepEqual(await told, ['error', err]);
    await raw.until(() => false);
    assert.equal(dechunk(raw.text).rest, null);
  });

  it('ends in order when it is closed while it is being detached', async () => {
    const { path, result } = stage.expect((req, res) => {
      const client = stage.hub.connect(req, res);
      setImmediate(() => {
        client.send('only');
        res.end('data: last\n\n', () => client.emit('called back'));
      });
      return client;
    });
    const stream = await stage.open(path);
    const client = await result;
    const called = once(client, 'called back');
    assert.equal(await stream.end(), 'end');
    assert.equal(stream.text, ':\ndata: only\n\ndata: last\n\n');
    await called;
    assert.equal(await closed(client), 'server');
  });

  it('takes what the application writes to the response, in order with its own events', async () => {
    const { client, raw, res } = await peer(stage);
    client.send(1);
    assert.equal(res.write('data: 2\n'), true);
    client.send(3);
    await new Promise((resolve) => res.write('\n', resolve));
    let calls = 0;
    assert.equal(
      res.end('data: 4\n\n', () => calls++),
      res,
    );
    assert.equal(client.send('too late'), false);
    await raw.until(() => false);
    const { chunks } = dechunk(raw.text);
    assert.equal(chunks.join(''), ':\ndata: 1\n\ndata: 3\n\ndata: 2\n\ndata: 4\n\n');
    assert.equal(await closed(client), 'server');
    assert.equal(calls, 1);
    await assert.rejects(
      new Promise((resolve, reject) => res.write('x', (err) => (err ? reject(err) : resolve()))),
      { code: 'ERR_STREAM_WRITE_AFTER_END' },
    );
    await new Promise((resolve) => res.end(resolve));
  });

  it('tells whoever writes to the response when to go on', async () => {
    const { client, raw, res } = await peer(stage);
    raw.socket.pause();
    const block = `data: ${'x'.repeat(64 * 1024)}\n\n`;
    let count = 0;
    while (res.write(block)) count++;
    const drained = once(res, 'drain');
    raw.socket.resume();
    await drained;
    res.end();
    await raw.until(() => false);
    const { chunks, rest } = dechunk(raw.text);
    assert.equal(chunks.join('').length, 2 + (count + 1) * block.length);
    assert.equal(rest, '');
    assert.equal(await closed(client), 'server');
  });

  it('does not end with the response: res.destroy() changes nothing', async () => {
    const { client, raw, res, req } = await peer(stage);
    res.destroy();
    req.destroy();
    client.send('on');
    await raw.until((text) => text.includes('data: on'));
    assert.equal(client.closed, null);
    client.close();
  });

  it('lets request loggers log at once, and never runs an end() that wraps the response', async () => {
    const lines = [];
    const store = new session.MemoryStore();
    const app = express();
    app.use(morgan(':method :url :status', { stream: { write: (line) => lines.push(line) } }));
    app.use(session({ secret: 's', resave: true, saveUninitialized: true, store }));
    app.get('/', (req, res) => stage.clients.push(stage.hub.connect(req, res)));
    const server = await serve(app);
    const stream = await open(server.url);
    await when(() => lines.length > 0, 'a line in the log');
    assert.deepEqual(lines, ['GET / 200\n']);
    const client = await letGo(stage.clients[0]);
    client.close();
    assert.equal(await stream.end(), 'end');
    await closed(client);
    assert.deepEqual(Object.keys(store.sessions), []);
    assert.equal(lines.length, 1);
    await server.close();
  });

  it('falls back, and stats() says why', async () => {
    const hub = createHub({ transport: 'detached', retry: false, heartbeat: false });
    const clients = [];
    const listener = (req, res) => {
      const headers = req.url === '/gzip' ? { 'Content-Encoding': 'identity' } : {};
      clients.push(hub.connect(req, res, { headers }));
    };
    const servers = [await serve(listener, 'https'), await serve(listener)];
    const response = hub.response(new Request('http://x/'), {});
    await open(servers[0].url);
    await open(`${servers[1].url}/gzip`);
    assert.deepEqual(hub.stats().relay, { fetch: 1, tls: 1, encoding: 1 });
    for (const { transport } of hub.clients.values()) assert.equal(transport, 'relay');
    assert.equal(hub.stats().detached, 0);
    const read = response.text();
    hub.broadcast('to all');
    await hub.close({ grace: 0 });
    assert.match(await read, /data: to all\n\n/);
    for (const server of servers) await server.close();
  });

  it('counts in the limits of the hub', async () => {
    await stage.end();
    stage = await densityStage({ limits: { clients: 2, clientsPerUser: 1 } });
    const { client } = await peer(stage, { opts: { user: 'a' } });
    const second = await peer(stage, { opts: { user: 'a' }, isLetGo: false });
    assert.equal(second.client.closed, 'capacity');
    await peer(stage, { opts: { user: 'b' } });
    const third = await peer(stage, { opts: { user: 'c' }, isLetGo: false });
    assert.equal(third.client.closed, 'capacity');
    client.close();
    await closed(client);
    await peer(stage, { opts: { user: 'a' } });
  });

  it('is not what server.close() waits for', async () => {
    const server = await serve((req, res) => stage.clients.push(stage.hub.connect(req, res)));
    const stream = await open(server.url);
    const client = await letGo(stage.clients[0]);
    assert.equal(
      await new Promise((resolve) => server.server.getConnections((_e, n) => resolve(n))),
      0,
    );
    await server.close();
    client.send('still here');
    assert.equal((await stream.next()).data, 'still here');
  });

  it('ends with hub.close(), told when to come back', async () => {
    const [a, b] = [await peer(stage), await peer(stage)];
    b.raw.socket.pause();
    for (let i = 0; i < 30; i++) b.client.send('x'.repeat(32 * 1024));
    stage.hub._options = { ...stage.hub._options, retry: { min: 1, max: 9 } };
    assert.deepEqual(await stage.hub.close({ grace: 200 }), { ended: 1, cut: 1 });
    assert.equal(a.client.closed, 'shutdown');
    assert.equal(b.client.closed, 'shutdown');
    await a.raw.until(() => false);
    assert.match(dechunk(a.raw.text).chunks.join(''), /^:\nretry: \d\n$/);
    assert.equal(dechunk(a.raw.text).rest, '');
    b.raw.socket.resume();
    await b.raw.until(() => false);
    assert.equal(dechunk(b.raw.text).rest, null);
    stage.hub = createHub();
  });

  it('waits for a request that is still on its way', async () => {
    let body = '';
    const { path, result } = stage.expect((req, res) => {
      req.setEncoding('utf8').on('data', (text) => {
        body += text;
      });
      return stage.hub.connect(req, res);
    });
    const raw = openRaw(
      stage.url,
      `POST ${path} HTTP/1.1\r\nHost: x\r\nContent-Length: 6\r\n\r\nabc`,
    );
    const client = await result;
    stage.clients.push(client);
    await when(() => body === 'abc', 'the first half');
    for (let i = 0; i < 5; i++) await turn();
    assert.equal(client.transport, 'fd');
    raw.socket.write('def');
    await letGo(client);
    assert.equal(body, 'abcdef');
    client.close();
  });

  it('answers no second request on its connection', async () => {
    const { client, raw } = await peer(stage);
    const asked = [];
    stage._server.server.on('request', (req) => asked.push(req.url));
    raw.socket.write(get('/second'));
    client.send('first goes on');
    await raw.until((text) => text.includes('first goes on'));
    client.close();
    await raw.until(() => false);
    assert.equal(dechunk(raw.text).rest, '');
    assert.deepEqual(asked, []);
  });
});
