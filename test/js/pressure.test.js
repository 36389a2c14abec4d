'use strict';

// Readers that do not read: each ends for the right reason, has got a prefix of what was sent and knows that it has ended;
// memory stays bounded, and the others lose nothing.

const assert = require('node:assert/strict');
const { once } = require('node:events');
const { setImmediate } = require('node:timers/promises');
const { createHub } = require('fanline');
const { Group, textOf } = require('./support/reader');
const { Readers } = require('./support/readers');
const { serve } = require('./support/serve');

const MIB = 1 << 20;
const KERNEL = 4 * MIB; // more than the kernel takes in for a reader that does not read

describe('pressure', function () {
  this.timeout(30_000);
  let readers;
  let hub;
  let server;
  let clients; // in the order of connecting
  let drops;

  before(() => {
    readers = new Readers();
  });
  after(() => readers.close());
  afterEach(async () => {
    await hub.close({ grace: 0 });
    await server.close();
  });

  async function start(options) {
    hub = createHub({ heartbeat: false, retry: false, ...options });
    clients = [];
    drops = [];
    hub.on('connect', (client) => clients.push(client));
    hub.on('drop', (client, drop) => drops.push({ client, ...drop }));
    server = await serve((req, res) => hub.connect(req, res));
  }

  /** A group of readers in the other process, and their clients. */
  async function open(how) {
    const from = clients.length;
    const group = await readers.open({ port: server.port, ...how });
    while (clients.length < from + (how.count ?? 1)) await once(hub, 'connect');
    group.clients = clients.slice(from);
    return group;
  }

  /** Resolves when the loop's counters tell of so many deliveries: a reader may be ahead of them. */
  async function delivered(count) {
    while (hub.stats().deliveries < count) await setImmediate();
  }

  /** Broadcasts numbered events of `size` bytes, as fast as `healthy` reads them, while `goOn()`. @returns how many */
  async function flood(healthy, size, goOn) {
    let sent = 0;
    while (goOn(sent)) {
      for (let i = 0; i < 32; i++) hub.broadcast(textOf(sent++, size));
      await healthy.until(sent);
    }
    return sent;
  }

  it('a stalled reader under a flood is closed as slow, after a prefix; the others lose nothing', async () => {
    const queueBytes = 2 * MIB;
    await start({ limits: { queueBytes } });
    const size = 4_096;
    const stalled = await open({ stalled: true, size });
    const healthy = await open({ count: 3, size });
    const [slow] = stalled.clients;
    const order = [];
    slow.on('close', (reason) => order.push(`close ${reason}`));
    hub.on('drop', () => order.push('drop'));
    hub.on('disconnect', (client, reason) =>
      order.push(`disconnect ${reason} ${slow.closed} ${hub.size}`),
    );
    let more = 5; // turns after its end
    const sent = await flood(
      healthy,
      size,
      (n) => n < 20_000 && (slow.closed === null || more-- > 0),
    );
    assert.ok(sent < 20_000, 'ended');
    assert.deepEqual(order, ['drop', 'close slow', 'disconnect slow slow 3']);

    const others = await healthy.report();
    assert.deepEqual([others.fewest, others.most, others.wrong, others.ends], [sent, sent, 0, {}]);
    const { peakBytes, disconnects, drops: counted } = hub.stats();
    assert.ok(peakBytes < queueBytes * 1.25, `${peakBytes} bytes at the highest`);
    assert.equal(disconnects.slow, 1);
    const [{ client, events, bytes, reason }] = drops;
    assert.ok(client === slow);
    assert.equal(reason, 'slow');
    assert.deepEqual(counted, { slow: { events, bytes } });
    assert.ok(bytes > queueBytes && bytes < queueBytes * 1.25, `${bytes} bytes dropped`);

    await stalled.resume();
    const end = await stalled.ended();
    assert.deepEqual(end.ends, { cut: 1 }); // the end of the connection, and not of the response
    assert.equal(end.wrong, 0);
    assert.ok(end.total > 0 && end.total < sent, `${end.total} of ${sent}`);
    // No hole: what it has got and what was counted as dropped is what was sent to it. (And the comment and the id at the beginning of each.)
    const expected = 2 * 4 + sent * 3 + end.total + events;
    await delivered(expected);
    assert.equal(hub.stats().deliveries, expected);
    await healthy.close();
  });

  it('a stalled reader ends as stalled; one that reads slowly, and one with nothing to read, do not', async () => {
    await start({ limits: { stallTimeout: 400 } });
    const stalled = await open({ stalled: true });
    const idle = await open({});
    const slowly = new Group({ port: server.port, size: 50_000 });
    const from = clients.length;
    await slowly.open();
    const slow = clients[from];
    const [reader] = slowly.readers;
    reader.socket.on('data', () => {
      reader.socket.pause();
      setTimeout(() => reader.socket.resume(), 20);
    });
    const begun = Date.now();
    const ended = once(stalled.clients[0], 'close');
    for (let n = 0; n < KERNEL / 50_000; n++) {
      stalled.clients[0].send(textOf(n, 50_000));
      slow.send(textOf(n, 50_000));
    }
    const [reason] = await ended;
    const took = Date.now() - begun;
    assert.equal(reason, 'stalled');
    assert.ok(took >= 400, `${took} ms`);
    assert.deepEqual(
      drops.map((drop) => [drop.client === stalled.clients[0], drop.reason]),
      [[true, 'stalled']],
    );
    const report = await slowly.until(Math.ceil(KERNEL / 50_000));
    assert.deepEqual([report.wrong, report.ends, slow.closed], [0, {}, null]);
    assert.ok(Date.now() - begun > 800, 'it took longer than that');
    assert.deepEqual([hub.size, idle.clients[0].closed], [2, null]);
    assert.equal(hub.stats().disconnects.stalled, 1);
    slowly.close();
  });

  it('past half of totalBytes the longest queues end first', async () => {
    // 16 MiB for queues. Each event is 1 MB of its own.
    await start({ limits: { totalBytes: 32 * MIB, queueBytes: 16 * MIB } });
    const size = 1_000_000;
    const groups = [];
    for (let i = 0; i < 4; i++) groups.push(await open({ stalled: true, size }));
    const [a, b, c, d] = groups.map((group) => group.clients[0]);
    const sent = new Map(clients.map((client) => [client, 0]));
    const give = async (client, events) => {
      while (hub.stats().inboxBytes > 0) await setImmediate(); // which has half a budget of its own
      for (let n = 0; n < events; n++) {
        client.send(textOf(sent.get(client), size));
        sent.set(client, sent.get(client) + 1);
      }
    };
    await give(a, 3);
    await give(b, 4);
    await give(c, 7);
    let ended = once(hub, 'disconnect');
    await give(d, 5);
    assert.deepEqual(await ended, [c, 'slow']);
    assert.deepEqual([a.closed, b.closed, d.closed], [null, null, null]);
    ended = once(hub, 'disconnect');
    await give(a, 6);
    assert.deepEqual(await ended, [a, 'slow']);
    assert.deepEqual([b.closed, d.closed], [null, null]);
    assert.ok(hub.stats().peakBytes <= 32 * MIB);
    for (const group of groups) await group.resume();
    const survivors = [await groups[1].until(4), await groups[3].until(5)];
    for (const { wrong, ends } of survivors) assert.deepEqual([wrong, ends], [0, {}]);
    for (const cut of [groups[0], groups[2]]) {
      const { wrong, ends } = await cut.ended();
      assert.deepEqual([wrong, ends], [0, { cut: 1 }]);
    }
    assert.deepEqual(
      drops.map((drop) => drop.reason),
      ['slow', 'slow'],
    );
  });

  it('heartbeats do not pile up in front of a reader that does not read', async () => {
    await start({ heartbeat: { interval: 5, event: 'beat' }, limits: { stallTimeout: false } });
    const stalled = await open({ stalled: true });
    const [client] = stalled.clients;
    for (let n = 0; n < KERNEL / MIB; n++) client.send('x'.repeat(MIB - 1));
    const beat = new Group({ port: server.port });
    await beat.open();
    const waiting = ({ deliveries, framesWritten }) => deliveries - framesWritten;
    const queued = hub.stats();
    const seen = beat.readers[0].bytes;
    while (beat.readers[0].bytes < seen + 50 * 'event: beat\ndata: 5\n\n'.length) {
      await once(beat.readers[0].socket, 'data');
    }
    const later = hub.stats();
    assert.ok(later.heartbeats >= queued.heartbeats + 40, `${later.heartbeats} heartbeats`);
    // A heartbeat is one shared frame: it is the references that would pile up.
    assert.ok(waiting(queued) >= 3, 'private events wait');
    assert.ok(
      waiting(later) <= waiting(queued) + 1,
      `${waiting(later) - waiting(queued)} more wait`,
    );
    assert.equal(client.closed, null);
    beat.close();
  });

  it('one event larger than queueBytes fits an empty queue, two do not', async () => {
    await start({ limits: { queueBytes: 64 << 10, eventBytes: KERNEL } });
    const healthy = await open({ count: 2, size: KERNEL });
    const stalled = await open({ stalled: true, size: KERNEL });
    const [client] = stalled.clients;
    for (let n = 0; n < 3; n++) {
      for (const own of healthy.clients) own.send(textOf(n, KERNEL));
      const report = await healthy.until(n + 1);
      assert.deepEqual([report.total, report.wrong, report.ends], [2 * (n + 1), 0, {}]);
    }
    client.send(textOf(0, KERNEL));
    hub.except(client).send(textOf(3, KERNEL));
    await healthy.until(4);
    assert.equal(client.closed, null);
    const ended = once(client, 'close');
    client.send(textOf(1, KERNEL));
    assert.deepEqual(await ended, ['slow']);
    assert.equal(drops[0].events, 2);
    await stalled.resume();
    assert.deepEqual([(await stalled.ended()).total, (await stalled.report()).wrong], [0, 0]);
    assert.deepEqual((await healthy.report()).ends, {});
    await healthy.close();
  });

  for (const kind of ['broadcast', 'send']) {
    it(`a ${kind} that does not fit throws and ends nobody; it fits again when there is room`, async () => {
      await start({ limits: { totalBytes: 8 * MIB, queueBytes: 4 * MIB } });
      const size = 100_000;
      const healthy = await open({ size });
      const to = kind === 'broadcast' ? hub : healthy.clients[0];
      let sent = 0;
      const fill = () => {
        for (; sent < 10_000; sent++) to[kind](textOf(sent, size));
      };
      for (let round = 0; round < 3; round++) {
        assert.throws(fill, { name: 'Error', code: 'ERR_FAN_FULL' });
        assert.ok(hub.stats().bufferedBytes <= 8 * MIB);
        assert.equal(hub.stats().events, sent);
        const report = await healthy.until(sent);
        assert.deepEqual([report.total, report.wrong, report.ends], [sent, 0, {}]);
      }
      assert.deepEqual([drops, hub.size], [[], 1]);
      await healthy.close();
    });
  }
});
