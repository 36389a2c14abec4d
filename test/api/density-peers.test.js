'use strict';

// Density mode, from the other end of the connection: how a peer may leave, stop, talk on, speak HTTP/1.0. And nothing is left of
// any of them: no descriptor, no client.

const assert = require('node:assert/strict');
const fs = require('node:fs');
const { once } = require('node:events');
const http = require('node:http');
const net = require('node:net');
const os = require('node:os');
const path = require('node:path');
const { setTimeout: pause } = require('node:timers/promises');
const { createHub } = require('fanline');
const { dechunk, openRaw } = require('../js/suite/raw');
const { closed, densityStage, get, letGo, peer } = require('../js/support/density');
const { open } = require('../js/support/open');
const { serve } = require('../js/support/serve');
const { when } = require('../js/support/stage');

const FLOOD = 64 * 1024; // bytes, as src/io/sink_detached.h

/** A request's body, by a reader that pauses at each chunk. */
async function readSlowly(req) {
  let text = '';
  for await (const bytes of req) {
    await pause(20);
    text += bytes;
  }
  return text;
}

const descriptors = () => fs.readdirSync('/proc/self/fd').length;
const onLinux = process.platform === 'linux' ? it : it.skip;

describe('density mode and its peers', () => {
  let stage;
  const start = async (options) => {
    stage = await densityStage(options);
  };
  afterEach(() => stage.end());

  it('a peer that leaves is noticed by the loop, however it does', async () => {
    await start();
    for (const leave of ['end', 'destroy', 'resetAndDestroy']) {
      const { client, raw } = await peer(stage, { opts: { rooms: 'r', user: 'u' } });
      const { signal } = client;
      raw.socket[leave]();
      assert.equal(await closed(client), 'client', leave);
      assert.equal(signal.aborted, true);
    }
    const { clients, rooms, users, disconnects } = stage.hub.stats();
    assert.deepEqual([clients, rooms, users, disconnects.client], [0, 0, 0, 3]);
  });

  it('what a peer says after its request is thrown away, and a flood ends the stream', async () => {
    await start();
    const { client, raw } = await peer(stage);
    await new Promise((resolve) => raw.socket.write('x'.repeat(FLOOD), resolve));
    client.send('on');
    await raw.until((text) => text.includes('data: on'));
    assert.equal(client.closed, null);
    raw.socket.write('x');
    assert.equal(await closed(client), 'client');
    assert.equal(stage.hub.stats().disconnects.client, 1);
  });

  it('a POST whose body came with it is detached, too', async () => {
    await start();
    const ask = (url) => `POST ${url} HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\n\r\nbody`;
    const { client, raw } = await peer(stage, { ask });
    client.send('to a POST');
    await raw.until((text) => text.includes('to a POST'));
    client.close();
  });

  it('a body that has come is left to a reader that takes its time', async () => {
    await start();
    const chunk = (text) => `${text.length}\r\n${text}\r\n`;
    const body = ['one', 'two', 'three', ''].map(chunk).join('');
    const { path: url, result } = stage.expect((req, res) => {
      const client = stage.hub.connect(req, res);
      return { client, read: readSlowly(req) };
    });
    const head = 'Host: x\r\nTransfer-Encoding: chunked\r\n\r\n';
    openRaw(stage.url, `POST ${url} HTTP/1.1\r\n${head}${body}`);
    const { client, read } = await result;
    stage.clients.push(client);
    assert.equal(await read, 'onetwothree');
    await letGo(client);
    client.close();
  });

  it('a reader that has paused in front of the end is waited for', async () => {
    await start();
    let raw;
    const { path: url, result } = stage.expect(async (req, res) => {
      req.on('data', () => req.pause());
      await once(req, 'pause');
      req.resume();
      raw.socket.write('dy');
      await once(req, 'pause');
      await when(() => req.complete, 'the end of the request');
      return { client: stage.hub.connect(req, res), req };
    });
    raw = openRaw(stage.url, `POST ${url} HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\n\r\nbo`);
    const { client, req } = await result;
    stage.clients.push(client);
    await pause(20);
    assert.deepEqual([req.readableLength, req.readableEnded], [0, false]);
    assert.equal(client.transport, 'fd');
    req.resume();
    await letGo(client);
    client.close();
  });

  it('HTTP/1.0 is served without chunks, and ends with the connection', async () => {
    await start();
    const { client, raw } = await peer(stage, { ask: (url) => `GET ${url} HTTP/1.0\r\n\r\n` });
    client.send('x');
    client.close();
    await raw.until(() => false);
    assert.equal(raw.text.slice(raw.text.indexOf('\r\n\r\n') + 4), ':\ndata: x\n\n');
    assert.equal(await closed(client), 'server');
  });

  it('a slow reader gets all of it, and the end', async () => {
    await start();
    const { client, raw } = await peer(stage);
    raw.socket.pause();
    const sent = [];
    for (let i = 0; i < 60; i++) {
      sent.push(`${i} ${'x'.repeat(64 * 1024)}`);
      client.send(sent.at(-1));
    }
    client.close();
    await when(() => stage.hub.stats().blockedWrites > 0, 'a full socket');
    assert.equal(client.closed, null);
    raw.socket.resume();
    await raw.until(() => false);
    const { chunks, rest } = dechunk(raw.text);
    const events = chunks.join('').slice(2).split('\n\n').slice(0, -1);
    assert.deepEqual(
      events.map((text) => text.slice('data: '.length)),
      sent,
    );
    assert.equal(rest, '');
    assert.equal(await closed(client), 'server');
  });

  it('a reader that has stopped is cut after stallTimeout, and what it missed is told', async () => {
    await start({ limits: { stallTimeout: 100 } });
    const drops = [];
    stage.hub.on('drop', (_client, drop) => drops.push(drop.reason));
    const { client, raw } = await peer(stage);
    raw.socket.pause();
    for (let i = 0; i < 60; i++) client.send('x'.repeat(64 * 1024));
    assert.equal(await client.drain(), false);
    assert.equal(await closed(client), 'stalled');
    assert.deepEqual(drops, ['stalled']);
  });

  it('idleTimeout and lifetime end it in order', async () => {
    await start();
    for (const [limit, reason] of [
      [{ idleTimeout: 30 }, 'idle'],
      [{ lifetime: 30 }, 'lifetime'],
    ]) {
      await stage.end();
      await start({ limits: limit });
      const { client, raw } = await peer(stage, { isLetGo: false });
      await raw.until(() => false);
      assert.equal(dechunk(raw.text).rest, '', reason);
      assert.equal(await closed(client), reason);
    }
  });

  it('a Unix socket can be detached as well', async () => {
    await start();
    const where = path.join(os.tmpdir(), `fanline-density-${process.pid}.sock`);
    const clients = [];
    const server = http.createServer((req, res) => clients.push(stage.hub.connect(req, res)));
    await once(server.listen(where), 'listening');
    const socket = net.connect(where);
    let text = '';
    socket.setEncoding('latin1').on('data', (more) => {
      text += more;
    });
    socket.write(get('/'));
    await when(() => clients.length === 1, 'the client');
    const [client] = clients;
    stage.clients.push(client);
    await letGo(client);
    client.send('local');
    client.close();
    await once(socket, 'end');
    assert.match(text, /data: local\n\n\r\n0\r\n\r\n$/);
    await new Promise((resolve) => server.close(resolve));
  });

  it('a client that comes back gets what it missed', async () => {
    await start({ history: {}, limits: { lifetime: false } });
    const { client, raw } = await peer(stage, { opts: { rooms: 'r' } });
    stage.hub.to('r').send('one');
    await raw.until((text) => text.includes('data: one'));
    const id = /id: (.*)\n(?:data|event)/.exec(raw.text)[1];
    client.close();
    await closed(client);
    stage.hub.to('r').send('two');
    const ask = (url) => `GET ${url} HTTP/1.1\r\nHost: x\r\nLast-Event-ID: ${id}\r\n\r\n`;
    const again = await peer(stage, { opts: { rooms: 'r' }, ask });
    await again.raw.until((text) => text.includes('data: two'));
    assert.doesNotMatch(again.raw.text, /data: one/);
    again.client.close();
  });

  it('a snapshot comes first, whenever Node lets go', async () => {
    let tell;
    const told = new Promise((resolve) => {
      tell = resolve;
    });
    await start({
      history: {},
      snapshot: async (client) => {
        client.send('state 1');
        await told;
        client.send('state 2');
      },
    });
    const { client, raw } = await peer(stage, { opts: { rooms: 'r' } });
    stage.hub.to('r').send('live');
    tell();
    await raw.until((text) => text.includes('data: live'));
    assert.match(raw.text, /state 1.*state 2.*data: live/s);
    client.close();
  });

  onLinux('no descriptor is left of 300 that come and go, one each while they live', async () => {
    await start();
    const one = await peer(stage); // whatever is made once
    one.client.close();
    await closed(one.client);
    one.raw.close();
    await when(() => descriptors() > 0);
    const before = descriptors();
    const streams = await Promise.all(
      Array.from({ length: 300 }, async () => {
        const { path: url, result } = stage.expect((req, res) => stage.hub.connect(req, res));
        const stream = await stage.open(url);
        return { stream, client: await letGo(await result) };
      }),
    );
    await when(() => descriptors() <= before + 600, 'two for each pair'); // the other is the reader's
    const gone = streams.map(({ client }) => closed(client));
    for (const [i, { stream, client }] of streams.entries()) {
      if (i % 3 === 0) stream.close();
      else if (i % 3 === 1) client.close();
      else stage.hub.client(client.id).disconnect();
    }
    await Promise.all(gone);
    await Promise.all(streams.map(({ stream }) => stream.end()));
    await when(() => descriptors() <= before, `${before} descriptors, not ${descriptors()}`);
    assert.equal(stage.hub.size, 0);
  });

  it('1,000 of them get every event of a broadcast in order', async () => {
    await start();
    const hub = createHub({ transport: 'detached', retry: false, heartbeat: false });
    const server = await serve(hub.handler({ rooms: 'r' }));
    const streams = [];
    for (let i = 0; i < 20; i++) {
      streams.push(...(await Promise.all(Array.from({ length: 50 }, () => open(server.url)))));
    }
    await when(() => hub.stats().detached === 1_000, 'all of them detached');
    for (let i = 0; i < 20; i++) hub.to('r').send(i);
    const expected = Array.from({ length: 20 }, (_, i) => String(i));
    for (const stream of streams) assert.deepEqual(await stream.data(20), expected);
    assert.deepEqual(await hub.close({ grace: 500 }), { ended: 1_000, cut: 0 });
    for (const stream of streams) assert.equal(await stream.end(), 'end');
    await server.close();
  });
});
