'use strict';

// Much at once for readers that read: nobody who keeps up with what arrives is ended, however little may wait for him, and
// whatever was accepted arrives, in order. Memory stays within limits.totalBytes; past it a send throws, and ends nobody.

const assert = require('node:assert/strict');
const crypto = require('node:crypto');
const { setImmediate } = require('node:timers/promises');
const { createHub } = require('fanline');
const { Group, textOf } = require('./support/reader');
const { Readers } = require('./support/readers');
const { serve } = require('./support/serve');

const MIB = 1 << 20;

describe('pressure: much at once', function () {
  this.timeout(60_000);
  let readers;
  let hub;
  let server;
  let lost;

  before(() => {
    readers = new Readers();
  });
  after(() => readers.close());
  afterEach(async () => {
    await hub.close({ grace: 0 });
    await server.close();
  });

  async function start(limits, history) {
    hub = createHub({ heartbeat: false, limits, history });
    lost = [];
    hub.on('disconnect', (client, reason) => lost.push(reason));
    hub.on('drop', (client, drop) => lost.push(drop));
    server = await serve((req, res) => hub.connect(req, res));
  }

  /** Readers in a process of their own, or in this one. */
  async function open(where, how) {
    if (where === 'another process') return readers.open({ port: server.port, ...how });
    const group = new Group({ port: server.port, ...how });
    await group.open();
    return group;
  }

  /** Resolves when everybody has everything, and memory holds no more than what is kept. */
  async function allWritten() {
    const limit = Date.now() + 10_000;
    for (;;) {
      const { events, framesWritten, deliveries, bufferedBytes, historyBytes } = hub.stats();
      const isWritten = framesWritten === deliveries && deliveries > events;
      if (isWritten && bufferedBytes <= historyBytes) return;
      assert.ok(Date.now() < limit, JSON.stringify(hub.stats()));
      await setImmediate();
    }
  }

  for (const where of ['another process', 'this process']) {
    // Events of at most a quarter of what may wait: how much of the one before is left is a matter of luck.
    const SIZES = { 1000000: [400, 4_000, 250_000, 1_000_000], 8388608: [400, 4_000, 1_000_000] };
    for (const [queueBytes, sizes] of Object.entries(SIZES)) {
      for (const size of sizes) {
        it(`5 MB at once in events of ${size}, queueBytes ${queueBytes}, readers in ${where}`, async () => {
          await start({ queueBytes: Number(queueBytes) });
          const group = await open(where, { count: 2, hash: true });
          const count = Math.ceil(5_000_000 / size);
          const expected = crypto.createHash('sha1');
          for (let n = 0; n < count; n++) {
            hub.broadcast(textOf(n, size));
            expected.update(`data: ${textOf(n, size)}\n\n`);
          }
          const report = await group.until(count);
          const hash = expected.digest('hex');
          assert.deepEqual(lost, []);
          assert.deepEqual(
            [report.fewest, report.most, report.wrong, report.ends],
            [count, count, 0, {}],
          );
          assert.deepEqual(report.hashes, [hash, hash]);
          await group.close();
        });
      }
    }
  }

  const SMALL = { totalBytes: 16 * MIB, queueBytes: 4 * MIB };
  const BUDGETS = {
    'default limits': [{}, undefined],
    'totalBytes 16 MiB, queueBytes 4 MiB': [SMALL, undefined],
    'totalBytes 16 MiB, queueBytes 4 MiB, without history': [SMALL, false],
  };
  const EVENTS = 50_000;
  const SIZE = 4_096;
  const LOOSE = 96 * MIB; // what V8 may keep of 200 MB of short-lived strings, and readers of chunks

  /** Sends EVENTS in one synchronous loop. @returns {{accepted, refused, buffered, rss}} the latter two at their highest */
  function flood(totalBytes) {
    const seen = { accepted: 0, refused: 0, buffered: 0, rss: 0 };
    const start = process.memoryUsage.rss();
    for (let n = 0; n < EVENTS; n++) {
      try {
        hub.broadcast(textOf(seen.accepted, SIZE));
        seen.accepted++;
      } catch (err) {
        assert.equal(err.code, 'ERR_FAN_FULL');
        seen.refused++;
      }
      if (n % 500 !== 0) continue;
      seen.buffered = Math.max(seen.buffered, hub.stats().bufferedBytes);
      seen.rss = Math.max(seen.rss, process.memoryUsage.rss() - start);
    }
    assert.ok(seen.buffered <= totalBytes, `${seen.buffered} bytes are buffered`);
    return seen;
  }

  for (const where of ['another process', 'this process']) {
    for (const [name, [limits, history]] of Object.entries(BUDGETS)) {
      it(`50,000 x 4 KB in one synchronous loop: ${name}, readers in ${where}`, async () => {
        const { totalBytes = 256 * MIB } = limits;
        await start(limits, history);
        const group = await open(where, { count: 3, size: SIZE });
        globalThis.gc?.();
        const { accepted, refused, rss } = flood(totalBytes);
        assert.equal(accepted + refused, EVENTS);
        // A reader in this process cannot read while the loop runs; and 16 MiB are less than anybody reads meanwhile.
        if (where === 'this process' || limits.totalBytes) assert.ok(refused > 0, 'ERR_FAN_FULL');
        assert.ok(accepted * SIZE > totalBytes / 3, `${accepted} accepted`);
        assert.ok(rss < totalBytes + LOOSE, `${rss} bytes more of memory`);

        const report = await group.until(accepted);
        assert.deepEqual(lost, []);
        assert.deepEqual(
          [report.fewest, report.most, report.wrong, report.ends],
          [accepted, accepted, 0, {}],
        );
        assert.equal(report.ids, history === false ? 0 : report.total);
        await allWritten();
        assert.equal(hub.stats().historyEvents, history === false ? 0 : 200);
        assert.ok(hub.stats().peakBytes <= totalBytes, 'what the loop held');
        for (let n = accepted; n < accepted + 10; n++) hub.broadcast(textOf(n, SIZE));
        const later = await group.until(accepted + 10);
        assert.deepEqual(
          [later.fewest, later.most, later.wrong],
          [accepted + 10, accepted + 10, 0],
        );
        assert.equal(hub.size, 3);
        await group.close();
      });
    }
  }
});
