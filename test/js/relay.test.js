'use strict';

// Readers behind the response's own write and behind a descriptor, and how their streams end: who is slow is not stalled, who
// takes nothing is, and an end in order is over at the latest when such a reader would be.

const assert = require('node:assert/strict');
const { spawn } = require('node:child_process');
const { once } = require('node:events');
const { text } = require('node:stream/consumers');
const { setTimeout: sleep } = require('node:timers/promises');
const tls = require('node:tls');
const { createHub } = require('fanline');
const native = require('../../lib/native');
const { open } = require('./support/open');
const { connect2, open2 } = require('./support/open-h2');
const { Stage, when } = require('./support/stage');

const MIB = 1 << 20;
const STALL = 500;
const LATE = 1_500; // ms that a busy machine may add
const WINDOW = 65_535; // of an HTTP/2 stream, unless told otherwise
const BIG = 'x'.repeat(12_000);

describe('relay', () => {
  const toClose = [];
  afterEach(async () => {
    for (const close of toClose.splice(0).reverse()) await close();
  });

  async function start(kind, options) {
    const hub = createHub({ heartbeat: false, retry: false, history: false, ...options });
    const drops = [];
    const ends = [];
    hub.on('drop', (_client, drop) => drops.push(drop));
    hub.on('disconnect', (_client, reason) => ends.push(reason));
    const stage = await Stage.on(hub, kind);
    toClose.push(() => stage.close());
    return { hub, stage, drops, ends };
  }

  /** A client whose peer reads nothing from the beginning on. */
  async function deaf(stage, kind, opts) {
    if (kind === 'http') return (await stage.deaf(opts)).client;
    const { path, result } = stage._connected(opts);
    if (kind === 'http2') {
      const session = await connect2(stage.url);
      const req = session.request({ ':path': path });
      req.on('error', () => {}).pause();
      toClose.push(() => session.destroy());
    } else {
      const socket = tls.connect({
        port: stage.port,
        host: '127.0.0.1',
        rejectUnauthorized: false,
      });
      await once(
        socket.on('error', () => {}),
        'secureConnect',
      );
      socket.pause().write(`GET ${path} HTTP/1.1\r\nHost: x\r\n\r\n`);
      toClose.push(() => socket.destroy());
    }
    return result;
  }

  /** The reason of the client's end, and how long that took from now. */
  async function endOf(client) {
    const begun = performance.now();
    if (client.closed === null) await once(client, 'close');
    return { reason: client.closed, ms: performance.now() - begun };
  }

  it('a block on its way when its reader leaves is waited for by nobody, and delays no end of the hub', async () => {
    const stallTimeout = 100;
    const { hub, stage } = await start('http', { transport: 'relay', limits: { stallTimeout } });
    for (let round = 0; round < 60; round++) {
      const { client } = await stage.connect({ rooms: 'r' });
      const closed = once(client, 'close');
      hub.to('r').send('x'.repeat(50_000));
      client._takeover.socket.destroy();
      await closed;
    }
    await sleep(stallTimeout * 3);
    const begun = performance.now();
    await hub.close({ grace: 0 });
    assert.ok(performance.now() - begun < 800, `${performance.now() - begun} ms`);
  });

  // ---- slow and stalled ----

  const KINDS = [
    ['TLS', 'https', {}],
    ['transport relay', 'http', { transport: 'relay' }],
    ['a descriptor', 'http', {}],
  ];

  /** In Python, for Node cannot give a socket a small receive buffer: 4,000 bytes every 250 ms. */
  function slowReader(stage, path) {
    const program = `
import socket, ssl, sys, time
peer = socket.socket()
peer.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
peer.connect(('127.0.0.1', ${stage.port}))
if ${stage.url.startsWith('https') ? 'True' : 'False'}:
  context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
  context.check_hostname = False
  context.verify_mode = ssl.CERT_NONE
  peer = context.wrap_socket(peer)
peer.sendall(b'GET ${path} HTTP/1.0\\r\\n\\r\\n')
while True:
  part = peer.recv(4000)
  if not part: break
  sys.stdout.buffer.write(part)
  time.sleep(0.25)
`;
    const child = spawn('python3', ['-c', program], { stdio: ['ignore', 'pipe', 'inherit'] });
    toClose.push(() => child.kill());
    return text(child.stdout);
  }

  it('a reader that is slow and alive is not stalled: TLS, relay, a descriptor', async function () {
    this.timeout(30_000);
    const stallTimeout = 3_000; // 64 KiB take 4 s, 16 KiB one
    const count = 26;
    const one = async ([name, kind, opts]) => {
      const { stage, drops, ends } = await start(kind, { limits: { stallTimeout } });
      const { path, result } = stage._connected(opts);
      const body = slowReader(stage, path);
      const client = await result;
      const begun = performance.now();
      for (let i = 0; i < count; i++) client.send(`${i} ${'x'.repeat(4_000)}`);
      client.close({ data: 'last' });
      const got = await body;
      const ms = performance.now() - begun;
      assert.deepEqual([client.closed, ends, drops], ['server', ['server'], []], name);
      assert.ok(ms > 1.5 * stallTimeout, `${name}: ${Math.round(ms)} ms`);
      const data = [...got.matchAll(/^data: (\S+)/gm)].map(([, word]) => word);
      assert.deepEqual(data, [...Array.from({ length: count }, (_, i) => String(i)), 'last'], name);
    };
    await Promise.all(KINDS.map(one));
  });

  for (const [name, kind, opts] of [...KINDS, ['HTTP/2', 'http2', {}]]) {
    it(`${name}: a reader that takes nothing is stalled, and the drop tells what the counters tell`, async () => {
      const { hub, stage, drops, ends } = await start(kind, { limits: { stallTimeout: STALL } });
      const client = await deaf(stage, kind, opts);
      for (let i = 0; i < 500; i++) client.send(BIG); // 6 MB: more than any kernel takes
      const { reason, ms } = await endOf(client);
      assert.equal(reason, 'stalled');
      assert.ok(ms > STALL - 20 && ms < 2 * STALL + LATE, `${Math.round(ms)} ms`);
      assert.deepEqual(
        drops.map((drop) => drop.reason),
        ['stalled'],
      );
      const [{ events, bytes }] = drops;
      assert.ok(events > 0 && events <= 501, `${events} events`);
      assert.ok(bytes > 0 && bytes <= 501 * (BIG.length + 30), `${bytes} bytes`);
      await when(() => hub.stats().drops.stalled !== undefined, 'the counter');
      assert.deepEqual(hub.stats().drops, { stalled: { events, bytes } });
      assert.deepEqual([ends, hub.size], [['stalled'], 0]);
    });
  }

  // ---- an end in order, towards a peer that reads no more ----

  const AMOUNTS = [
    ['a little more than a window', WINDOW + 15_000],
    ['more than the relay takes', 6 * WINDOW],
    ['more than the kernel takes', 6 * MIB],
  ];
  for (const [name, kind, opts] of [['HTTP/2', 'http2', {}], ...KINDS]) {
    for (const [amount, bytes] of AMOUNTS) {
      it(`${name}: an end behind ${amount}, which nobody reads, is over in time`, async () => {
        const { hub, stage, ends } = await start(kind, { limits: { stallTimeout: STALL } });
        const client = await deaf(stage, kind, opts);
        for (let sent = 0; sent < bytes; sent += BIG.length) client.send(BIG);
        const told = [];
        client.on('close', () => told.push(hub.size));
        if (bytes < MIB) await when(() => client._taken === client._posted, 'the loop has it all');
        client.close({ data: 'last' });
        const { reason, ms } = await endOf(client);
        assert.equal(reason, 'server');
        assert.ok(ms < 2 * STALL + LATE, `${Math.round(ms)} ms`);
        assert.deepEqual([hub.size, ends, told], [0, ['server'], [0]]);
        assert.equal(hub.stats().disconnects.server, 1);
      });
    }
  }

  it('HTTP/2: an end behind what only Node still holds, which nobody reads, is over in time', async () => {
    const { hub, stage, ends } = await start('http2', { limits: { stallTimeout: STALL } });
    const client = await deaf(stage, 'http2');
    await when(() => client.transport === 'relay');
    while (!client._takeover.relay._waiting) {
      client.send('x'.repeat(9_000));
      const { bytesWritten } = hub.stats();
      await when(() => hub.stats().bytesWritten > bytesWritten || client._takeover.relay._waiting);
      await new Promise((resolve) => setTimeout(resolve, 5)); // and JavaScript
    }
    client.close();
    const { reason, ms } = await endOf(client);
    assert.equal(reason, 'server');
    assert.ok(ms < 2 * STALL + LATE, `${Math.round(ms)} ms`);
    assert.deepEqual([hub.size, ends], [0, ['server']]);
  });

  it('HTTP/2: also an end of its own making, by `lifetime`; its place is free then', async () => {
    const limits = { stallTimeout: STALL, clients: 1 };
    const { hub, stage, ends } = await start('http2', { limits });
    const client = await deaf(stage, 'http2', { lifetime: 200 });
    for (let sent = 0; sent < WINDOW + 15_000; sent += BIG.length) client.send(BIG);
    const { reason } = await endOf(client);
    assert.equal(reason, 'lifetime');
    assert.deepEqual([hub.size, ends], [0, ['lifetime']]);
    const { path, result } = stage._connected();
    const [next] = await Promise.all([result, open2(stage.url + path)]);
    assert.equal(next.closed, null);
  });

  it('HTTP/2: a reader that comes back in time gets all of it, and an end in order', async () => {
    const { stage, ends } = await start('http2', { limits: { stallTimeout: 5_000 } });
    const { path, result } = stage._connected();
    const [client, stream] = await Promise.all([result, open2(stage.url + path)]);
    stream.pause();
    const count = 20;
    for (let i = 0; i < count; i++) client.send(`${i} ${BIG}`);
    client.close({ data: 'last' });
    await when(() => client._takeover.left || client.bufferedBytes < count * BIG.length);
    stream.resume();
    const data = await stream.data(count + 1);
    assert.deepEqual(
      data.map((text) => text.split(' ')[0]),
      [...Array.from({ length: count }, (_, i) => String(i)), 'last'],
    );
    assert.equal(await stream.end(), 'end');
    await when(() => client.closed !== null);
    assert.deepEqual(ends, ['server']);
  });

  // ---- what the application has on its way when the end begins ----

  for (const [name, kind, opts] of KINDS) {
    it(`${name}: text without its blank line comes before the last event`, async () => {
      const { stage } = await start(kind);
      const { path, result } = stage._connected(opts);
      const [client, stream] = await Promise.all([result, open(stage.url + path)]);
      client.res.write('data: half\n');
      client.close({ data: 'bye' });
      assert.equal(await stream.end(), 'end');
      const half = stream.text.indexOf('data: half\n');
      const bye = stream.text.indexOf('data: bye\n\n');
      assert.ok(half >= 0 && half < bye, JSON.stringify(stream.text));
    });
  }

  for (const many of [0, 300]) {
    it(`a descriptor: a captured write() while ${many || 'no'} events drain comes behind them`, async () => {
      const { stage } = await start('http');
      const kept = {};
      const { path, result } = stage.expect((req, res) => {
        Object.assign(kept, { res, write: res.write });
        return stage.hub.connect(req, res, {});
      });
      const [client, stream] = await Promise.all([result, open(stage.url + path)]);
      await when(() => client.transport !== 'opening');
      stream.pause();
      for (let i = 0; i < many; i++) client.send(`${i} ${BIG}`);
      client.close({ data: 'last' });
      let called = 0;
      kept.write.call(kept.res, 'data: captured\n\n', (err) => {
        assert.equal(err ?? null, null);
        called++;
      });
      stream.resume();
      const data = await stream.data(many + 2);
      assert.deepEqual(data.slice(-2), ['last', 'captured']);
      for (let i = 0; i < many; i++) assert.ok(data[i].startsWith(`${i} `), `event ${i}`);
      assert.equal(await stream.end(), 'end'); // which comes behind the terminator
      await when(() => called > 0, 'the callback');
      await when(() => client.closed !== null);
      assert.deepEqual([called, client.closed], [1, 'server']);
    });
  }

  // ---- the end of a hub ----

  it('hub.close that cuts a reader who takes nothing tells what was dropped', async () => {
    const { hub, stage, drops, ends } = await start('http');
    const { stream } = await stage.connect();
    const { client } = await stage.deaf();
    for (let i = 0; i < 60; i++) client.send('x'.repeat(100_000));
    await when(() => hub.stats().inboxBytes === 0, 'the loop has it all');
    assert.deepEqual(await hub.close({ grace: 300 }), { ended: 1, cut: 1 });
    assert.equal(await stream.end(), 'end');
    assert.deepEqual([ends, client.closed], [['shutdown', 'shutdown'], 'shutdown']);
    assert.equal(drops.length, 1);
    const [{ reason, events, bytes }] = drops;
    assert.equal(reason, 'shutdown');
    assert.ok(events > 0 && events < 70 && bytes > MIB / 2, `${events} events, ${bytes} bytes`);
    await when(() => hub.stats().drops.shutdown !== undefined, 'the counter');
    assert.deepEqual(hub.stats().drops, { shutdown: { events, bytes } });
  });

  for (const [name, kind, opts] of KINDS) {
    it(`${name}: hub.close with no grace ends readers that read in order`, async () => {
      const { hub, stage, drops } = await start(kind, { retry: 77 });
      const streams = [];
      for (let i = 0; i < 10; i++) {
        const { path, result } = stage._connected({ ...opts, retry: false });
        const [client, stream] = await Promise.all([result, open(stage.url + path)]);
        await when(() => client.transport !== 'opening');
        streams.push(stream);
      }
      for (const client of hub.clients.values()) client.send('one more');
      assert.deepEqual(await hub.close({ grace: 0 }), { ended: 10, cut: 0 });
      for (const stream of streams) {
        assert.equal(await stream.end(), 'end');
        assert.match(stream.text, /^:\n+data: one more\n\nretry: 77\n+$/);
      }
      assert.deepEqual(drops, []);
    });
  }

  // ---- sockets ----

  describe('the options of the socket', () => {
    const { tune, untune } = native;
    let calls;
    beforeEach(() => {
      calls = [];
      native.tune = (...args) => {
        calls.push(`tune ${args[0]}`);
        return tune(...args);
      };
      native.untune = (...args) => {
        calls.push(`untune ${args[0]}`);
        return untune(...args);
      };
    });
    afterEach(() => Object.assign(native, { tune, untune }));

    const LEAVING = {
      'the peer resets it': (_client, stream) => stream.req.close(8),
      'the server ends it': (client) => client.close(),
      'the server cuts it': (client) => client.res.stream.close(8),
    };
    for (const [name, leave] of Object.entries(LEAVING)) {
      it(`are undone when the last stream of an HTTP/2 connection is over: ${name}`, async () => {
        const { stage, hub } = await start('http2');
        const session = await connect2(stage.url);
        toClose.push(() => session.destroy());
        const both = [];
        for (let i = 0; i < 2; i++) {
          const { path, result } = stage._connected();
          const stream = open2(stage.url + path, { agent: session });
          both.push(await Promise.all([result, stream]));
        }
        assert.equal(calls.length, 1);
        const [, fd] = /^tune (\d+)$/.exec(calls[0]);
        const [[first, its], [second, other]] = both;
        leave(first, its);
        await when(() => first.closed !== null);
        assert.deepEqual(calls, [`tune ${fd}`]);
        second.send('still here');
        assert.equal((await other.next()).data, 'still here');
        leave(second, other);
        await when(() => hub.size === 0);
        await when(() => calls.length > 1, 'untune');
        assert.deepEqual(calls, [`tune ${fd}`, `untune ${fd}`]);
        assert.equal(session.destroyed, false);
      });
    }
  });

  for (const [name, kind, opts] of KINDS) {
    it(`${name}: a socket that has timed out has stalled`, async () => {
      const { hub, stage, ends } = await start(kind);
      const { path, result } = stage._connected(opts);
      const [client] = await Promise.all([result, open(stage.url + path)]);
      await when(() => client.transport !== 'opening');
      const { socket } = client.res;
      socket.destroy(Object.assign(new Error('read ETIMEDOUT'), { code: 'ETIMEDOUT' }));
      const { reason } = await endOf(client);
      assert.deepEqual([reason, ends], ['stalled', ['stalled']]);
      assert.equal(hub.stats().disconnects.stalled, 1);
    });
  }
});
