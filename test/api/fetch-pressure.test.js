'use strict';

// hub.response() and readers that take their time: nothing is handed over unasked, what waits is bounded, and nobody else is told.

const assert = require('node:assert/strict');
const { setTimeout: sleep } = require('node:timers/promises');
const { createHub } = require('fanline');
const { dataOf, ended, openOn } = require('../js/support/fetch-reader');
const { when } = require('../js/support/stage');

const KIB = 1 << 10;
const IN_HAND = 64 * KIB; // of one client, in JavaScript
const BLOCK = 'x'.repeat(4 * KIB);
const QUIET = { heartbeat: false, retry: false, history: false };

describe('hub.response(), under pressure', () => {
  let hub;
  const start = (options) => {
    hub = createHub({ ...QUIET, ...options });
    return hub;
  };
  afterEach(() => hub.close({ grace: 0 }));

  /** The loop has nothing more to do. */
  async function standstill() {
    let before = -1;
    await when(() => {
      const { bytesWritten, inboxBytes } = hub.stats();
      const isStill = inboxBytes === 0 && bytesWritten === before;
      before = bytesWritten;
      return isStill;
    }, 'a standstill');
    return before;
  }

  it('has at most 64 KiB of an unread stream in JavaScript, the rest waits for the reader', async () => {
    start();
    const { client, reader } = openOn(hub);
    for (let i = 0; i < 500; i++) client.send(`${i} ${BLOCK}`);
    client.close();
    const inHand = await standstill();
    assert(inHand > 0 && inHand <= IN_HAND, `${inHand} bytes`);
    const text = await reader.rest();
    assert.deepEqual(
      dataOf(text).map((data) => Number.parseInt(data, 10)),
      Array.from({ length: 500 }, (_, i) => i),
    );
  });

  it('takes no more from the loop than what was read', async () => {
    start();
    const { client, reader } = openOn(hub);
    for (let i = 0; i < 200; i++) client.send(BLOCK);
    for (let reads = 0; reads < 20; reads++) {
      const written = await standstill();
      const most = reader.text.length + IN_HAND;
      assert(written <= most, `${written} bytes with ${reader.text.length} read`);
      await reader.read();
    }
    assert(reader.text.length > IN_HAND, `${reader.text.length} bytes read`);
  });

  it('holds the memory of 300 unread streams to 64 KiB each, and what they wait for is shared', async () => {
    start({ limits: { stallTimeout: false } });
    const all = Array.from({ length: 300 }, () => openOn(hub));
    global.gc();
    const before = process.memoryUsage().arrayBuffers;
    for (let i = 0; i < 1_000; i++) hub.broadcast(BLOCK);
    await standstill();
    global.gc();
    const grown = process.memoryUsage().arrayBuffers - before;
    assert(grown <= 300 * IN_HAND + (1 << 20), `${grown} bytes`);
    assert(hub.stats().bufferedBytes < 1_100 * BLOCK.length, 'one copy for all');
    assert(all.every(({ client }) => client.closed === null));
  });

  it('past limits.queueBytes ends the stream as slow; what was read is a prefix', async () => {
    start({ limits: { queueBytes: 1 << 20 } });
    const drops = [];
    hub.on('drop', (_client, drop) => drops.push(drop));
    const slow = openOn(hub);
    const quick = openOn(hub);
    await slow.reader.until((text) => text === ':\n');
    for (let i = 0; slow.client.closed === null; i++) {
      hub.broadcast(`${i} ${BLOCK}`);
      if (i === 10) await slow.reader.read();
      await quick.reader.until((text) => text.endsWith(`data: ${i} ${BLOCK}\n\n`));
    }
    assert.equal(slow.client.closed, 'slow');
    await assert.rejects(slow.reader.rest(), { code: 'ERR_FAN_CLOSED' });
    const got = dataOf(slow.reader.text).map((data) => Number.parseInt(data, 10));
    assert.deepEqual(
      got,
      got.map((_, i) => i),
    );
    assert(got.length > 0);
    assert.equal(drops[0].reason, 'slow');
    assert.equal(dataOf(quick.reader.text).length, hub.stats().events);
  });

  it('dropOldest keeps the stream, and gives the newest', async () => {
    start({ overflow: 'dropOldest', limits: { queueBytes: 256 * KIB } });
    const { client, reader } = openOn(hub);
    for (let i = 0; i < 1_000; i++) {
      client.send(`${i} ${BLOCK}`);
      if (i % 50 === 0) await standstill();
    }
    client.close();
    const got = dataOf(await reader.rest()).map((data) => Number.parseInt(data, 10));
    assert.equal(got.at(-1), 999);
    assert(got.length < 200, `${got.length} events`);
    assert.equal(hub.stats().drops.dropOldest.events, 1_000 - got.length);
  });

  it('of one reader delays no other', async () => {
    start();
    openOn(hub);
    const { client, reader } = openOn(hub);
    for (let i = 0; i < 300; i++) hub.broadcast(`${i} ${BLOCK}`);
    client.close();
    assert.equal(dataOf(await reader.rest()).length, 300);
  });

  it('makes a piped source wait, until it is read on', async () => {
    start();
    const { client, reader } = openOn(hub);
    let given = 0;
    const source = (function* () {
      while (given < 400) yield `${given++} ${BLOCK}`;
    })();
    const piped = client.pipe(source);
    let before = -1;
    while (given !== before) {
      before = given;
      await sleep(30);
    }
    assert(given * BLOCK.length < 4 * IN_HAND, `${given} of 400 were asked for`);
    const text = await reader.rest();
    assert.equal((await piped).sent, 400);
    assert.equal(dataOf(text).indexOf('fanline:end'), 400);
  });

  it('deliver() waits for the reader', async () => {
    start();
    const { client, reader } = openOn(hub);
    client.send('x'.repeat(4 * IN_HAND));
    let isThrough = false;
    const delivery = hub
      .except([])
      .deliver('last')
      .then((told) => {
        isThrough = true;
        return told;
      });
    await standstill();
    assert.equal(isThrough, false);
    const reading = reader.until((text) => text.includes('data: last'));
    const { matched, written } = await delivery;
    assert.deepEqual({ matched, written }, { matched: 1, written: 1 });
    await reading;
  });

  it('a reader that takes its time is not stalled, in the stream or at its end', async () => {
    start({ limits: { stallTimeout: 120 } });
    const { client, reader } = openOn(hub);
    for (let i = 0; i < 60; i++) client.send(BLOCK);
    client.close();
    while (await reader.read()) await sleep(40);
    assert.equal(dataOf(reader.text).length, 60);
    assert.equal(await ended(client), 'server');
  });

  it('one that takes nothing for limits.stallTimeout is', async () => {
    start({ limits: { stallTimeout: 60 } });
    const { client, reader } = openOn(hub);
    for (let i = 0; i < 60; i++) client.send(BLOCK);
    await reader.read();
    assert.equal(await ended(client), 'stalled');
    await assert.rejects(reader.rest(), { code: 'ERR_FAN_CLOSED' });
  });

  it('one that takes nothing of the end is, too', async () => {
    start({ limits: { stallTimeout: 60 } });
    const { client, reader } = openOn(hub);
    await reader.read();
    client.send('last');
    client.close();
    const begun = performance.now();
    await ended(client);
    const took = performance.now() - begun;
    assert(took >= 50 && took < 1_500, `${took} ms`);
    await assert.rejects(reader.rest(), { code: 'ERR_FAN_CLOSED' });
  });

  it('one that has read everything is not, whatever time passes', async () => {
    start({ limits: { stallTimeout: 30 } });
    const { client, reader } = openOn(hub);
    await reader.until((text) => text === ':\n');
    await sleep(120);
    assert.equal(client.closed, null);
    const reading = reader.until((text) => text.includes('data: on\n\n'));
    client.send('on');
    await reading;
  });
});
