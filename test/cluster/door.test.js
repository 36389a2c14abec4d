'use strict';

// Where workers come in: what they are told when they can't, and what happens when a connection breaks though both processes live.

const assert = require('node:assert/strict');
const { fork } = require('node:child_process');
const cluster = require('node:cluster');
const { once } = require('node:events');
const fs = require('node:fs');
const net = require('node:net');
const path = require('node:path');
const { setTimeout: delay } = require('node:timers/promises');
const { Worker } = require('node:worker_threads');
const { clusterAdapter, setupPrimary } = require('fanline/cluster');
const { KIND, jsonFrame } = require('../../lib/cluster/frames');
const { listen, place } = require('../../lib/cluster/primary');
const { WorkerLink } = require('../../lib/cluster/worker');
const { Probe } = require('../adapters/support/probe');

const UNREADY = path.join(__dirname, 'support', 'unready.js');
const TOKEN = 'a token of the test';

describe('clusterAdapter()', () => {
  it('says what is wrong with its options', () => {
    assert.throws(() => clusterAdapter({ maxlen: 5 }), {
      code: 'ERR_FAN_OPTION',
      message: /Did you mean "maxLen"/,
    });
    assert.throws(() => clusterAdapter({ maxLen: 0 }), { code: 'ERR_FAN_OPTION' });
    assert.throws(() => clusterAdapter({ prefix: '' }), { code: 'ERR_FAN_OPTION' });
    assert.throws(() => clusterAdapter(5), { code: 'ERR_FAN_OPTION' });
  });

  it('says in a worker that its primary has not been set up', async () => {
    setupPrimary();
    const env = process.env.FANLINE_CLUSTER;
    const other = JSON.stringify({ ...JSON.parse(env), pid: 1 }); // that of a process further up
    for (const value of ['', other]) {
      cluster.setupPrimary({ exec: UNREADY, execArgv: [] });
      const worker = cluster.fork({ FANLINE_CLUSTER: value });
      const over = once(worker, 'exit');
      const [said] = await once(worker, 'message');
      assert.equal(said.code, 'ERR_FAN_ADAPTER');
      assert.match(said.message, /setupPrimary\(\)/);
      await over;
    }
  });

  it('works by itself in a process that is no worker, and not in a thread', async () => {
    const child = fork(UNREADY, { execArgv: [] });
    const childOver = once(child, 'exit');
    const [answer] = await once(child, 'message');
    assert.equal(answer, null);
    assert.deepEqual(await childOver, [0, null]);
    const thread = new Worker(UNREADY);
    const threadOver = once(thread, 'exit');
    const [said] = await once(thread, 'message');
    assert.equal(said.code, 'ERR_FAN_ADAPTER');
    assert.match(said.message, /thread/);
    await threadOver;
  });
});

describe('the socket of the primary', () => {
  const made = [];
  const probes = [];
  let server;
  let where;
  let worlds = 0;

  function start(at = place()) {
    where = at;
    server = listen(where, TOKEN);
    made.push(server);
  }

  function link(prefix = `door-${worlds}`, token = TOKEN) {
    const options = { prefix, maxLen: 1_000, maxBytes: 1 << 20 };
    const probe = new Probe({
      open: (host) => new WorkerLink({ path: where.path, token }, options, host),
    });
    probes.push(probe);
    return probe;
  }

  beforeEach(() => {
    worlds++;
  });

  afterEach(async () => {
    for (const probe of probes.splice(0)) {
      await probe.close();
      probe.check();
    }
    for (const one of made.splice(0)) one.close();
  });

  it('is a file of nobody else’s where there are no others', async () => {
    assert.equal(place('linux', '1.46.0').path[0], '\0');
    assert.match(place('win32', '1.50.0').path, /^\\\\\.\\pipe\\fanline-/);
    start(place('darwin', '1.50.0'));
    await once(server, 'listening');
    assert.equal(fs.statSync(where.dir).mode & 0o777, 0o700);
    const [a, b] = await Promise.all([link().ready(), link().ready()]);
    await a.publish('x');
    await b.until(() => b.entries.length === 1, 'it');
  });

  it('lets nobody in who has no token, or says something else', async () => {
    start();
    const stranger = link('x', 'another token......');
    await stranger.until(() => stranger.told.length > 0, 'the end');
    assert.deepEqual(stranger.told[0].slice(0, 2), ['state', 'down']);
    for (const bytes of ['GET / HTTP/1.1\r\n\r\n', Buffer.alloc(5_000, 255), '\0\0\0\0\0']) {
      const socket = net.connect(where.path);
      socket.on('error', () => {});
      socket.write(bytes);
      await once(socket, 'close');
    }
    const other = await link().ready();
    assert.deepEqual(await other.link.processes(), [other.process]);
  });

  it('tells a worker of another version that its primary has to be started anew', async () => {
    start();
    const socket = net.connect(where.path);
    socket.write(jsonFrame(KIND.HELLO, { token: TOKEN, protocol: 0 }));
    const [chunk] = await once(socket, 'data');
    assert.equal(chunk[4], KIND.REFUSED);
    assert.match(String(chunk.subarray(5)), /another version/);
    await once(socket, 'close');
  });

  it('is tried again until it is there, and nothing is missing from before', async () => {
    where = place();
    const prefix = `door-${worlds}`;
    const local = new Probe(clusterAdapter({ prefix }));
    probes.push(local);
    await local.ready();
    await local.publish('before');
    await delay(5);
    const early = link(prefix);
    await local.publish('at once');
    await early.until(() => early.ofKind('state').length > 0, 'an attempt');
    assert.equal(early.ofKind('state')[0][1], 'down');
    start(where);
    await early.ready();
    await early.publish('behind');
    await early.until(() => early.entries.length === 2, 'both');
    assert.deepEqual(early.texts, ['at once', 'behind']);
  });

  it('is opened again when the connection breaks: nothing is missing, nothing comes twice', async () => {
    start();
    const [a, b] = await Promise.all([link().ready(), link().ready()]);
    assert.equal(await a.link.admit('ada', 2, 3), true);
    let repeats = 0;
    for (let n = 1; n <= 60; n++) {
      const accepted = a.publishAs(n, `${n}`);
      if (n % 20 === 0) {
        a.link._socket.destroy(); // before the answer
        await assert.rejects(accepted, { code: 'ERR_FAN_ADAPTER' });
        const told = a.ofKind('state').length;
        await a.until(() => a.ofKind('state').length > told, 'another connection');
        await a.publishAs(n, `${n}`);
        repeats++;
      } else await accepted;
      if (n % 15 === 0) b.link._socket.destroy();
    }
    const texts = Array.from({ length: 60 }, (_, i) => `${i + 1}`);
    for (const probe of [a, b]) {
      await probe.until(() => probe.entries.length === 60, 'all');
      assert.deepEqual(probe.texts, texts);
      assert.deepEqual(probe.ofKind('lost'), []);
    }
    assert.equal(repeats, 3);
    for (const probe of [a, b])
      await probe.until(() => probe.link._isOpen && !probe.link._socket.destroyed, 'open');
    assert.equal(await b.link.admit('ada', 2, 3), false); // its clients are still counted
    assert.equal((await b.link.processes()).length, 2);
  });
});
