'use strict';

// What a broadcast costs, by the hub's own counters: one call into C, one encoding, no callback, however many clients
// listen; and how few system calls carry many events.

const assert = require('node:assert/strict');
const { setImmediate } = require('node:timers/promises');
const { createHub } = require('fanline');
const { serve } = require('./support/serve');
const { Readers, descriptors } = require('./support/readers');

const PER_CLIENT = 2; // Node's descriptor and the loop's duplicate of it
const SPARE = 200;
const KEPT = 200; // bytes that one small event takes in the history
const OPENING = 2; // frames that each stream begins with: retry, and the id from which it can come back

describe('counters', function () {
  this.timeout(30_000);
  let hub;
  let server;
  let readers;

  before(() => {
    readers = new Readers();
  });
  after(() => readers.close());

  beforeEach(async () => {
    hub = createHub({ heartbeat: false });
    server = await serve((req, res) => hub.connect(req, res, { rooms: 'all' }));
  });
  afterEach(async () => {
    await hub.close({ grace: 0 });
    await server.close();
  });

  /** Resolves when the loop has told of so many events written since `before`. (A reader may be ahead of that.) */
  async function written(events, before) {
    const missing = () => events - (hub.stats().framesWritten - before.framesWritten);
    const limit = Date.now() + 10_000;
    while (missing() > 0) {
      assert.ok(Date.now() < limit, `${missing()} of ${events} frames have not been written`);
      await setImmediate();
    }
  }

  /** Counters that have moved since `before`. */
  function since(before) {
    const now = hub.stats();
    const moved = {};
    for (const name of Object.keys(now)) {
      if (typeof now[name] === 'number') moved[name] = now[name] - before[name];
    }
    return moved;
  }

  for (const clients of [1, 100, 5_000]) {
    it(`one call, one encoding, no callback and one write for each client: ${clients}`, async function () {
      const needed = clients * PER_CLIENT + SPARE;
      if (descriptors() < needed) {
        this.test.title += `: ${needed} descriptors are needed, there are ${descriptors()}: ulimit -n ${needed}`;
        this.skip();
      }
      const group = await readers.open({ port: server.port, count: clients });
      await written(OPENING * clients, { framesWritten: 0 });
      assert.equal(hub.size, clients);
      const sends = [
        [(data) => hub.broadcast(data), KEPT],
        [(data) => hub.to('all').send(data), KEPT],
        [(data) => hub.except('nobody').send(data), KEPT],
        [(data) => hub.to('all').send(data, { history: false }), 0],
      ];
      for (const [n, [send, kept]] of sends.entries()) {
        const before = hub.stats();
        const receipt = send(`${n} x`);
        assert.equal(since(before).crossings, 1);
        const report = await group.until(n + 1);
        assert.deepEqual([report.fewest, report.most, report.wrong], [n + 1, n + 1, 0]);
        assert.equal(report.ids, clients * Math.min(n + 1, 3), 'what is kept has an id');
        await written(clients, before);
        const cost = since(before);
        assert.equal(receipt.matched, clients);
        assert.equal(cost.events, 1);
        assert.equal(cost.crossings, 1);
        assert.equal(cost.encodes, 1);
        assert.equal(cost.flushes, 1);
        assert.equal(cost.wakeups, 1);
        assert.equal(cost.callbacks, 0);
        assert.equal(cost.notices, 0);
        assert.equal(cost.deliveries, clients);
        assert.equal(cost.framesWritten, clients);
        assert.equal(cost.writes, clients);
        assert.equal(cost.historyEvents, kept === 0 ? 0 : 1);
        assert.ok(cost.bufferedBytes <= kept, 'all has left, but one frame if it is kept');
      }
      await group.close();
    });
  }

  it('twenty events of one synchronous stretch to 1,000 idle clients cost at most 2,000 writes', async () => {
    const clients = 1_000;
    const group = await readers.open({ port: server.port, count: clients });
    await written(OPENING * clients, { framesWritten: 0 });
    const before = hub.stats();
    for (let n = 0; n < 20; n++) hub.to('all').send(`${n} x`);
    const report = await group.until(20);
    assert.deepEqual([report.fewest, report.most, report.wrong], [20, 20, 0]);
    await written(20 * clients, before);
    const cost = since(before);
    assert.equal(cost.events, 20);
    assert.equal(cost.crossings, 20);
    assert.equal(cost.encodes, 20);
    assert.equal(cost.flushes, 1, 'one stretch');
    assert.equal(cost.callbacks, 0);
    assert.equal(cost.deliveries, 20 * clients);
    assert.ok(cost.writes >= clients && cost.writes <= 2 * clients, `${cost.writes} writes`);
    await group.close();
  });

  it('counts stretches: what code sends before it yields leaves together', async () => {
    const group = await readers.open({ port: server.port });
    for (const sends of [1, 7]) {
      const before = hub.stats();
      const { total } = await group.report();
      for (let n = 0; n < sends; n++) hub.broadcast(`${total + n} x`);
      assert.equal(since(before).flushes, 0, 'not before the stretch ends');
      await group.until(total + sends);
      assert.equal(since(before).flushes, 1);
      assert.equal(since(before).crossings, sends);
    }
    const before = hub.stats();
    for (let n = 8; n < 11; n++) {
      hub.broadcast(`${n} x`);
      await null;
    }
    await group.until(11);
    assert.equal(since(before).flushes, 3);
    assert.equal((await group.report()).wrong, 0);
    await group.close();
  });

  it('serialises once for any number of clients', async () => {
    let calls = 0;
    const group = await readers.open({ port: server.port, count: 50 });
    const data = { toJSON: () => calls++ };
    hub.broadcast(data);
    const report = await group.until(1);
    assert.deepEqual([report.total, report.wrong, calls], [50, 0, 1]);
    await group.close();
  });
});
