'use strict';

// Every way in which a connection can be torn down, in every state that a stream can be in: it is told once, the peer sees the
// end, nobody else notices, and nothing is left.

const assert = require('node:assert/strict');
const { once } = require('node:events');
const fs = require('node:fs');
const net = require('node:net');
const express4 = require('express4');
const express5 = require('express');
const { createHub } = require('fanline');
const { open } = require('./support/open');
const { serve } = require('./support/serve');

const FRAMEWORKS = {
  http: (listener) => listener,
  'Express 4': (listener) => express4().use(listener),
  'Express 5': (listener) => express5().use(listener),
};
const MB = 1 << 20;

function fill(client) {
  for (let i = 0; i < 64; i++) client.send('x'.repeat(MB / 16));
}

/** `request`: what the peer sends; `reads`: whether it reads. The body is more than Node takes in, and less than the kernel keeps. */
const STATES = {
  'an open stream': { reads: true },
  'a stream on relay': { reads: true, options: { transport: 'relay' } },
  'a stream that is not yet adopted': {
    headers: { 'X-Large': 'x'.repeat(6 * MB) },
    transport: 'opening',
  },
  'a stream with a full queue': { enter: ({ client }) => fill(client) },
  'a stream on relay with a full queue': {
    options: { transport: 'relay' },
    enter: ({ client }) => fill(client),
  },
  'a stream that drains': {
    enter({ client }) {
      fill(client);
      client.close();
    },
    reason: 'server',
  },
  'a stream on relay that drains': {
    options: { transport: 'relay' },
    enter({ client }) {
      fill(client);
      client.close();
    },
    reason: 'server',
  },
  'a POST whose body nobody reads': {
    reads: true,
    request: `POST / HTTP/1.1\r\nHost: x\r\nContent-Length: ${MB}\r\n\r\n${'b'.repeat(100_000)}`,
  },
};

const ENDS = {
  'the peer ends': ({ conn }) => conn.resume().end(),
  'the peer resets': ({ conn }) => conn.resetAndDestroy(),
  'res.destroy()': ({ res }) => res.destroy(),
  'res.destroy(err)': ({ res }) => res.on('error', () => {}).destroy(new Error('on purpose')),
  'socket.destroy()': ({ req }) => req.socket.destroy(),
  'socket.resetAndDestroy()': ({ req }) => req.socket.resetAndDestroy(),
  'server.closeAllConnections()': ({ server }) => server.closeAllConnections(),
};

/** Resolves when `condition()` holds. */
async function eventually(condition, what, ms = 3_000) {
  const limit = Date.now() + ms;
  while (!condition()) {
    if (Date.now() > limit) assert.fail(what());
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

function descriptors() {
  return process.platform === 'linux' ? fs.readdirSync('/proc/self/fd').length : 0;
}

/** A server whose requests all become streams of `hub`, and the one that `connect` below is about. */
async function listen(hub, framework, { headers = {}, options = {} }) {
  const seen = [];
  const listener = (req, res) => {
    for (const name in headers) res.setHeader(name, headers[name]);
    const entry = { req, res, client: hub.connect(req, res, { rooms: 'all', ...options }) };
    req.on('error', () => {});
    seen.push(entry);
    seen.wake?.();
  };
  const served = await serve(FRAMEWORKS[framework](listener));
  async function connect({ request = 'GET / HTTP/1.1\r\nHost: x\r\n\r\n', reads = false }) {
    const conn = net.connect({ port: served.port, host: '127.0.0.1' });
    conn.on('error', () => {});
    conn.closed_ = once(conn, 'close').catch(() => {});
    conn.write(request);
    if (reads) conn.resume();
    await new Promise((resolve) => {
      seen.wake = resolve;
    });
    return { conn, server: served.server, ...seen.at(-1) };
  }
  return { ...served, connect };
}

describe('teardown', () => {
  let hub;
  let servers;
  let bystander;

  async function start(framework, state = {}) {
    const served = await listen(hub, framework, state);
    servers.push(served);
    return served;
  }

  beforeEach(() => {
    hub = createHub({ heartbeat: false, limits: { queueBytes: 16 * MB } });
    servers = [];
    bystander = null;
  });

  afterEach(async () => {
    for (const served of servers) await served.close();
    await hub.close({ grace: 0 });
    await bystander?.end(); // its descriptor must not count in the next test
    await eventually(
      () => hub.stats().bufferedBytes === 0,
      () => `${hub.stats().bufferedBytes} bytes left`,
    );
  });

  async function tearDown(framework, state, end) {
    bystander = await open((await start('http')).url);
    const served = await start(framework, state);
    const before = descriptors();
    const victim = await served.connect(state);
    const { client, conn, res } = victim;
    assert.equal(client.closed, null);
    state.enter?.(victim);
    hub.to('all').send('before');
    assert.equal((await bystander.next()).data, 'before');
    if (state.transport) assert.equal(client.transport, state.transport);

    const told = [];
    hub.on('disconnect', (who, reason) => who === client && told.push(reason));
    client.on('close', (reason) => told.push(reason));
    end(victim);
    await eventually(
      () => told.length > 0 && res.closed,
      () => `told ${told}, response closed: ${res.closed}`,
    );
    hub.to('all').send('after');
    assert.equal((await bystander.next()).data, 'after');
    conn.resume();
    await conn.closed_;
    const reason = state.reason ?? 'client';
    await eventually(
      () => hub._native.stats().clients === 1 && descriptors() === before,
      () => `${hub._native.stats().clients} clients, ${descriptors()} of ${before} descriptors`,
    );
    assert.deepEqual(told, [reason, reason]);
    assert.equal(hub.size, 1);
    assert.deepEqual([...hub.rooms], [['all', 1]]);
    assert.equal(await new Promise((done) => served.server.getConnections((_, n) => done(n))), 0);
  }

  for (const [stateName, state] of Object.entries(STATES)) {
    describe(stateName, () => {
      const frameworks = stateName === 'an open stream' ? Object.keys(FRAMEWORKS) : ['http'];
      for (const framework of frameworks) {
        for (const [endName, end] of Object.entries(ENDS)) {
          it(`${framework}: ${endName}`, () => tearDown(framework, state, end));
        }
      }
    });
  }

  for (const transport of ['auto', 'relay']) {
    it(`middleware that closes the hub when it sees the headers (${transport}): the stream ends in order`, async () => {
      let client;
      let closing;
      const own = createHub();
      const served = await serve((req, res) => {
        const { writeHead } = res;
        res.writeHead = function (...args) {
          closing = own.close({ grace: 0 }); // the last hub of this thread: its loop ends
          return writeHead.apply(this, args);
        };
        client = own.connect(req, res, { rooms: 'all', transport });
      });
      servers.push(served);
      const stream = await open(served.url);
      assert.equal(await stream.end(), 'end');
      assert.deepEqual(await closing, { ended: 1, cut: 0 });
      assert.equal(client.closed, 'shutdown');
      assert.equal(client.send('nobody'), false);
      assert.deepEqual([own.size, [...own.rooms]], [0, []]);
    });
  }

  for (const framework of Object.keys(FRAMEWORKS)) {
    describe(`of a server, ${framework}`, () => {
      it('server.close() waits for streams and ends with the last', async () => {
        const served = await start(framework);
        const first = await open(served.url);
        const second = await open(served.url);
        let isClosed = false;
        const closed = new Promise((resolve) => served.server.close(resolve)).then(() => {
          isClosed = true;
        });
        const [a, b] = hub.clients.values();
        a.close();
        assert.equal(await first.end(), 'end');
        hub.broadcast('still there');
        assert.equal((await second.next()).data, 'still there');
        assert.equal(isClosed, false);
        b.close();
        assert.equal(await second.end(), 'end');
        await closed;
        servers.pop();
      });

      it('hub.close(), then server.close(): over as soon as the streams are, not when keep-alive is', async () => {
        const served = await start(framework);
        served.server.keepAliveTimeout = 60_000;
        const streams = [];
        for (let i = 0; i < 5; i++) streams.push(await served.connect({ reads: true }));
        const closed = new Promise((resolve) => served.server.close(resolve));
        assert.deepEqual(await hub.close({ grace: 100 }), { ended: 5, cut: 0 });
        await closed;
        for (const { conn } of streams) await conn.closed_;
        servers.pop();
      });

      it('server.closeIdleConnections() touches no stream', async () => {
        const served = await start(framework);
        const silent = await open(served.url);
        served.server.closeIdleConnections();
        await new Promise((resolve) => setTimeout(resolve, 50));
        served.server.closeIdleConnections();
        hub.broadcast('still there');
        assert.equal((await silent.next()).data, 'still there');
        assert.equal(hub.size, 1);
      });

      it('server.closeAllConnections() after server.close() ends both', async () => {
        const served = await start(framework);
        const streams = await Promise.all(Array.from({ length: 10 }, () => open(served.url)));
        const closed = new Promise((resolve) => served.server.close(resolve));
        served.server.closeAllConnections();
        await closed;
        for (const stream of streams) assert.notEqual(await stream.end(), 'end');
        await eventually(
          () => hub.size === 0 && hub._native.stats().clients === 0,
          () => `${hub.size} clients`,
        );
        servers.pop();
      });
    });
  }
});
