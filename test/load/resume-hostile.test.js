'use strict';

// Anything may come as Last-Event-ID. It costs a bounded time and at most one reset, and nobody else notices.

const assert = require('node:assert/strict');
const http = require('node:http');
const net = require('node:net');
const { once } = require('node:events');
const { setImmediate } = require('node:timers/promises');
const { createHub } = require('fanline');
const { KINDS, attempt, hostileId, outcomeOf } = require('../js/support/resume-hostile');
const { open } = require('../js/support/open');
const { Stage, refuses, when } = require('../js/support/stage');

const EVENTS = 20_000; // that are kept
const MORE = 5_000; // and some that are not any more
const TICK_MS = 4;
const AT_ONCE = 40;
const DEAF = 50;
const STALLED = 600; // ms
const SIZE = 60; // of an event, in bytes: all that is kept is more than the kernel takes in for a deaf reader
const MIB = 1 << 20;
const REASONS = ['restart', 'expired', 'invalid'];

const numberOf = (id) => Number(/^[a-z][a-z0-9]{7}-(\d+)$/.exec(id)[1]);

describe('hostile Last-Event-ID', function () {
  this.timeout(60_000);
  let hub;
  let server;
  let port;
  let timer;
  let now; // what there is to be known of the hub's ids

  function tick() {
    now.kept++;
    return hub.broadcast(String(now.kept).padEnd(SIZE), { event: 'tick' });
  }

  beforeEach(async () => {
    const history = { events: EVENTS, bytes: 32 * MIB };
    const limits = { stallTimeout: STALLED };
    hub = createHub({ heartbeat: false, retry: false, history, limits });
    server = http.createServer({ maxHeaderSize: 128 * 1024 }, (req, res) => hub.connect(req, res));
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    ({ port } = server.address());
    now = { epoch: '', kept: 0, letGo: MORE };
    for (let i = 1; i < EVENTS + MORE; i++) tick();
    now.epoch = (await tick().accepted).split('-')[0];
    await when(() => hub.stats().historyEvents === EVENTS, 'a full history');
    timer = setInterval(tick, TICK_MS);
  });

  afterEach(async () => {
    clearInterval(timer);
    await hub.close({ grace: 0 });
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });

  /** Events of the stream: at most one reset, in front, then every tick behind it or behind the cursor. */
  function check(id, expected, { status, firstId, events }) {
    const what = `${JSON.stringify(id.slice(0, 60))} → ${expected}`;
    if (typeof expected === 'number') {
      assert.equal(status, expected, what);
      assert.deepEqual(events, [], what);
      return;
    }
    assert.equal(status, 200, what);
    const [first] = events;
    assert.equal(first.event === 'fanline:reset', REASONS.includes(expected), what);
    if (first.event === 'fanline:reset') assert.equal(first.data, expected, what);
    let last = expected === 'replay' ? numberOf(id) : numberOf(firstId);
    for (const event of events.slice(first.event === 'fanline:reset' ? 1 : 0)) {
      assert.equal(event.event, 'tick', what);
      assert.equal(numberOf(event.id), ++last, what);
    }
  }

  async function attack(count, header = 'Last-Event-ID') {
    let left = count;
    const seen = {};
    const one = async () => {
      while (left-- > 0) {
        const id = hostileId(now);
        const expected = header === 'Last-Event-ID' ? outcomeOf(id, now) : null;
        const answer = await attempt(port, header, id);
        if (expected === null) continue;
        seen[expected] = (seen[expected] ?? 0) + 1;
        check(id, expected, answer);
      }
    };
    await Promise.all(Array.from({ length: AT_ONCE }, one));
    return seen;
  }

  /** All there is, over one connection, or over one after the other with the last id of each. @returns {() => number[]} */
  function witness(returns) {
    const numbers = [];
    let lastEventId;
    let isOver = false;
    const run = async () => {
      while (!isOver) {
        const stream = await open(`http://127.0.0.1:${port}/`, { lastEventId });
        for (let i = 0; (!returns || i < 5) && !isOver; i++) {
          const event = await stream.next();
          assert.equal(event.event, 'tick', event.data);
          numbers.push(numberOf(event.id));
          lastEventId = event.id;
        }
        stream.close();
      }
    };
    const done = run();
    return async () => {
      isOver = true;
      await done;
      return numbers;
    };
  }

  async function memory() {
    await when(() => hub.size === 0, 'all gone');
    for (let i = 0; i < 3; i++) {
      global.gc();
      await setImmediate();
    }
    const { heapUsed, rss } = process.memoryUsage();
    return { heapUsed, rss, kept: hub.stats().historyBytes };
  }

  it('10,000 of them: each gets one reset or what it missed, others go on, and no memory stays behind', async () => {
    const atFirst = await attack(4_000); // until then Node itself grows
    const before = await memory();
    const witnesses = [witness(false), witness(true), witness(true)];
    const seen = await attack(6_000);
    for (const outcome of [...REASONS, 'replay', 'new', 204, 400])
      assert.ok(seen[outcome] > 100, `${outcome}: ${seen[outcome]}`);
    for (const end of witnesses) {
      const numbers = await end();
      assert.ok(numbers.length > 50, `${numbers.length} events`);
      assert.deepEqual(
        numbers,
        numbers.map((_, i) => numbers[0] + i),
      );
    }
    assert.equal(
      hub.stats().resets,
      REASONS.reduce((sum, why) => sum + seen[why] + atFirst[why], 0),
    );
    const after = await memory();
    const what = JSON.stringify([before, after]);
    assert.ok(after.heapUsed - before.heapUsed < 2 * MIB, what);
    assert.ok(after.rss - before.rss < 48 * MIB, what);
    assert.ok(after.kept < before.kept * 1.2, what);
  });

  it('each kind leads where it must', async () => {
    for (const [kind, make] of Object.entries(KINDS)) {
      for (let i = 0; i < 5; i++) {
        const id = make(now);
        const expected = outcomeOf(id, now);
        const answer = await attempt(port, 'Last-Event-ID', id).catch((err) => {
          throw new Error(kind, { cause: err });
        });
        check(id, expected, answer);
      }
    }
  });

  it('readers that come back for all of it and do not read are ended as stalled; others go on', async () => {
    const seen = witness(true);
    const id = `${now.epoch}-${MORE + 1_000}`;
    const sockets = [];
    for (let i = 0; i < DEAF; i++) {
      const socket = net.connect(port, '127.0.0.1');
      socket.on('error', () => {});
      socket.pause();
      socket.write(`GET / HTTP/1.1\r\nHost: x\r\nLast-Event-ID: ${id}\r\n\r\n`);
      sockets.push(socket);
    }
    await when(() => hub.stats().replays >= DEAF, 'all are catching up');
    const { bufferedBytes, historyBytes } = hub.stats();
    assert.ok(bufferedBytes < historyBytes * 1.2, `${bufferedBytes} bytes, ${historyBytes} kept`);
    await when(() => hub.stats().disconnects.stalled === DEAF, 'their end', 10_000);
    for (const socket of sockets) socket.destroy();
    const numbers = await seen();
    assert.ok(numbers.length > 50, `${numbers.length} events`);
    assert.deepEqual(
      numbers,
      numbers.map((_, i) => numbers[0] + i),
    );
  });

  it('costs about as much time as the same bytes in a header that says nothing', async () => {
    const times = { 'Last-Event-ID': 0, 'X-Other': 0 };
    await attack(500);
    for (let round = 0; round < 4; round++) {
      for (const header of Object.keys(times)) {
        const begun = performance.now();
        await attack(400, header);
        times[header] += performance.now() - begun;
      }
    }
    const ratio = times['Last-Event-ID'] / times['X-Other'];
    assert.ok(ratio < 2, `${ratio.toFixed(2)} times as long`);
  });
});

describe('hostile opts.lastEventId', () => {
  let hub;
  let stage;

  beforeEach(async () => {
    hub = createHub({ heartbeat: false, retry: false });
    stage = await Stage.on(hub);
  });
  afterEach(async () => {
    await hub.close({ grace: 0 });
    await stage.close();
  });

  it('a string of any kind is a cursor or one reset; a fence in it is no fence', async () => {
    const values = ['\0', 'a\nid: x\n\ndata: y', '\ud800', '😀'.repeat(13), 'x'.repeat(8 * MIB)];
    values.push(`fanline:end:${Math.floor(Date.now() / 60_000)}`, '__proto__', ' ');
    for (const lastEventId of values) {
      const { stream } = await stage.connect({ lastEventId });
      hub.broadcast('live');
      const { event, data } = await stream.next();
      assert.deepEqual([event, data], ['fanline:reset', 'invalid'], lastEventId.slice(0, 30));
      assert.equal((await stream.next()).data, 'live');
      assert.doesNotMatch(stream.text, /data: y/);
      stream.close();
    }
    const { stream } = await stage.connect({ lastEventId: '' });
    hub.broadcast('live');
    assert.equal((await stream.next()).data, 'live');
  });

  it('anything else is refused, and nobody is connected', async () => {
    for (const lastEventId of [
      null,
      7,
      NaN,
      true,
      [],
      ['a'],
      {},
      Symbol('x'),
      () => {},
      1n,
      Buffer.from('a'),
    ]) {
      const err = await stage.request((req, res) => {
        const refused = refuses(
          () => hub.connect(req, res, { lastEventId }),
          TypeError,
          'ERR_FAN_ARG',
          'opts.lastEventId',
        );
        res.end();
        return refused;
      });
      assert.ok(err instanceof TypeError);
      assert.equal(hub.size, 0);
    }
  });
});
