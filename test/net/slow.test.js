'use strict';

// Readers behind a link that carries less than is sent, loses packets and delays them; others beside it that must not notice.

const assert = require('node:assert/strict');
const { setTimeout: sleep } = require('node:timers/promises');
const { textOf } = require('../js/support/reader');
const { when } = require('../js/support/stage');
const { KIND, isReal } = require('./support/link');
const { Scene } = require('./support/scene');

const NEAR = { near: true };
const FAST = 200; // ms in which an event arrives that nothing delays, on a busy machine
// 16 KiB by TCP_NOTSENT_LOWAT, and the packet that the kernel builds last, of up to 64 KiB. The proxy's own kernel takes in more.
const UNSENT = isReal ? 96 << 10 : 1 << 20;

const frame = (n, size) => `data: ${textOf(n, size)}\n\n`;
const frames = (count, size) => Array.from({ length: count }, (_, n) => frame(n, size)).join('');

describe(`a slow link (${KIND})`, () => {
  let scene;
  afterEach(() => scene.close());

  it('delivers every event in order, byte for byte, by each way; a reader beside it gets each at once', async () => {
    scene = await Scene.open({ quality: { kbit: 2_000, loss: 1 } });
    const behind = await scene.connectAll();
    const near = await scene.connect(NEAR);
    const count = 60;
    const atOnce = 40; // more than the kernel takes, so that writes are cut short
    const size = 4_000;
    const sentAt = [];
    const delays = [];
    let arrived = '';
    near.reader.listeners.push((text) => {
      arrived += text;
      while (delays.length < sentAt.length && arrived.includes(`data: ${delays.length} `)) {
        delays.push(performance.now() - sentAt[delays.length]);
      }
    });
    for (let n = 0; n < count; n++) {
      sentAt.push(performance.now());
      scene.hub.broadcast(textOf(n, size));
      if (n >= atOnce) await sleep(10);
    }
    const expected = `:\n${frames(count, size)}`;
    await near.reader.gets(expected);
    const ahead = performance.now();
    for (const { reader } of behind) assert(reader.received < expected.length);
    for (const { reader } of behind) await reader.gets(expected, 15_000);
    const late = performance.now() - ahead;
    assert(late > 3 * FAST, `the others took only ${late} ms more`);
    assert.equal(delays.length, count);
    assert(Math.max(...delays) < FAST, `${Math.max(...delays)} ms`);
    for (const { client } of [...behind, near]) assert.equal(client.closed, null);
  });

  it('what the kernel holds of a stream and has not sent is bounded; the rest waits as references', async () => {
    scene = await Scene.open({ quality: { kbit: 1_000, loss: 1 } });
    const { client, reader } = await scene.connect();
    const size = 4_000;
    const count = 1_000;
    for (let n = 0; n < count; n++) client.send(textOf(n, size));
    let most = 0;
    const end = performance.now() + 1_500;
    while (performance.now() < end) {
      await sleep(25);
      const written = scene.hub.stats().bytesWritten;
      most = Math.max(most, isReal ? await scene.link.unsent() : written - reader.received);
    }
    const { bytesWritten, bufferedBytes } = scene.hub.stats();
    assert(reader.received > 60_000, `only ${reader.received} bytes have come`);
    assert(most > 0 && most < UNSENT, `${most} bytes in the kernel`);
    assert(bufferedBytes > count * size - bytesWritten, `${bufferedBytes} bytes in the hub`);
    assert.equal(client.closed, null);
  });

  it('that is given more than it carries ends as slow at queueBytes: a strict prefix, and the end', async () => {
    const queueBytes = 256 << 10;
    scene = await Scene.open({ quality: { kbit: 4_000 }, hub: { limits: { queueBytes } } });
    const behind = await scene.connectAll();
    const near = await scene.connect(NEAR);
    const size = 4_000;
    let sent = 0;
    while (behind.some(({ client }) => client.closed === null) && sent < 2_000) {
      for (let i = 0; i < 8; i++) scene.hub.broadcast(textOf(sent++, size));
      await when(() => near.reader.received > sent * size, 'the reader near by');
    }
    const all = `:\n${frames(sent, size)}`;
    for (const { way, client, reader } of behind) {
      assert.equal(client.closed, 'slow', way);
      await when(() => reader.ended !== null, `the end of ${way}`, 10_000);
      const { body, complete } = reader.read();
      assert.equal(complete, false, way);
      assert(body.length < all.length && all.startsWith(body), `${way}: ${body.length} bytes`);
      assert(body.length > size, `${way}: ${body.length} bytes`);
      const drop = scene.drops.find((one) => one.client === client);
      assert.equal(drop.reason, 'slow', way);
      assert(drop.bytes > queueBytes && drop.bytes < 2 * queueBytes, `${way}: ${drop.bytes} bytes`);
    }
    assert.equal(scene.drops.length, behind.length);
    await near.reader.gets(all);
    assert.equal(near.client.closed, null);
  });
});
