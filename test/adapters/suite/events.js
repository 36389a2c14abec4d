'use strict';

// What links do with events: see ../conformance.js.

const assert = require('node:assert/strict');
const { setTimeout: delay } = require('node:timers/promises');
const { Probe, bytes, placeOf } = require('../support/probe');

const UNICODE = 'ä 漢字 🦊 \u0000 \u2028 \u2029 \uFFFD \u200D "\\" \r\n';

function definesOrder({ begin, keep, link, links, world }) {
  it('tell where they begin, at an id that a cursor can hold, and then that there is an engine', async () => {
    const [probe] = await links(1);
    assert.deepEqual(
      probe.told.map(([kind]) => kind),
      ['started', 'state'],
    );
    assert(probe.startedAt > 0);
  });

  it('bring the sends of all to all, in one order and under one id, to their senders too', async () => {
    const all = await links(3);
    const ids = await Promise.all(
      all.map(async (probe, who) => {
        const own = [];
        for (let n = 0; n < 25; n++) {
          const texts = Array.from({ length: 1 + (n % 4) }, (_, i) => `${who}:${n}:${i}`);
          own.push(...(await probe.publish(...texts)));
        }
        return own;
      }),
    );
    const count = ids.flat().length;
    for (const probe of all) await probe.until(() => probe.entries.length >= count, 'all entries');
    const [{ entries }] = all;
    assert.equal(entries.length, count);
    for (const probe of all) assert.deepEqual(probe.entries, entries);
    for (const [who, probe] of all.entries()) {
      const own = entries.filter(({ data }) => String(data).startsWith(`${who}:`));
      assert.deepEqual(
        own.map(({ id }) => id),
        ids[who],
      );
      assert.deepEqual(
        own.map(({ number }) => number),
        own.map((_, i) => i + 1),
      );
      assert(probe.startedAt < placeOf(entries[0].id));
    }
  });

  it('bring to one that begins later all that is behind its beginning, and nothing before', async () => {
    const [first] = await links(1);
    await first.publish('before');
    await delay(5);
    const late = await link();
    await first.publish('behind');
    await late.publish('its own');
    await late.until(() => late.texts.includes('its own'), 'its own');
    await first.until(() => first.texts.includes('its own'), 'its own');
    assert.deepEqual(
      late.entries,
      first.entries.filter(({ id }) => placeOf(id) > late.startedAt),
    );
    assert(late.texts.includes('behind'));
  });

  it('bring what was accepted from them before they had begun', async () => {
    await begin();
    const early = new Probe(world().adapter());
    const accepted = early.publish('early');
    keep(early);
    const [id] = await accepted;
    await early.ready();
    await early.until(() => early.entries.length > 0, 'it');
    assert.equal(early.entries[0].id, id);
  });

  it('bring the next entries when the last ones have been taken, and not before', async () => {
    const [slow, sender] = await links(2);
    const go = slow.hold();
    await sender.publish('1');
    await slow.until(() => slow.ofKind('received').length === 1, 'the first');
    for (const text of ['2', '3', '4']) await sender.publish(text);
    await sender.until(() => sender.entries.length === 4, 'all at the other');
    assert.equal(slow.ofKind('received').length, 1);
    go();
    await slow.until(() => slow.entries.length === 4, 'all');
    assert.deepEqual(slow.texts, ['1', '2', '3', '4']);
  });

  it('answer what is asked while the hub has no room', async () => {
    const [slow, sender] = await links(2);
    const go = slow.hold();
    await sender.publish('1');
    await slow.until(() => slow.ofKind('received').length === 1, 'the first');
    const [id] = await slow.publish('2');
    assert(placeOf(id) > 0);
    assert.equal((await slow.link.read(id, 10)).entries.length, 0);
    assert.equal((await slow.link.processes()).length, 2);
    go();
    await slow.until(() => slow.entries.length === 2, 'both');
  });
}

function definesRepeats({ links }) {
  it('put a repeated batch there once, and answer the ids of the first time', async () => {
    const [a, b] = await links(2);
    const ids = await a.publishAs(1, 'x', 'y');
    assert.deepEqual(await a.publishAs(1, 'x', 'y'), ids);
    await b.publish('between');
    assert.deepEqual(await a.publishAs(1, 'x', 'y'), ids);
    await a.publishAs(3, 'z');
    await b.until(() => b.entries.length >= 4, 'all');
    assert.deepEqual(b.texts, ['x', 'y', 'between', 'z']);
  });

  it('do so while the first attempt is still on its way, and others send', async () => {
    const all = await links(3);
    await Promise.all(
      all.map(async (probe, who) => {
        for (let n = 1; n <= 30; n++) {
          const attempts = [0, 1, 2].map(() => probe.publishAs(n, `${who}:${n}`));
          const [first, ...others] = await Promise.all(attempts);
          for (const ids of others) assert.deepEqual(ids, first);
        }
      }),
    );
    for (const probe of all) await probe.until(() => probe.entries.length >= 90, 'all');
    await all[0].publishAs(31, 'last');
    for (const probe of all) {
      await probe.until(() => probe.texts.includes('last'), 'the last');
      assert.equal(probe.entries.length, 91);
      assert.equal(new Set(probe.texts).size, 91);
    }
  });

  it('refuse a batch from before the last', async () => {
    const [a] = await links(1);
    for (const n of [1, 2, 3]) await a.publishAs(n, `${n}`);
    await assert.rejects(a.publishAs(2, '2'));
    await a.publishAs(4, '4');
    await a.until(() => a.entries.length >= 4, 'all');
    assert.deepEqual(a.texts, ['1', '2', '3', '4']);
  });
}

function definesBytes({ links }) {
  it('keep bytes of every value, and nothing at all, as they are', async () => {
    const [a, b] = await links(2);
    const all = Uint8Array.from({ length: 256 }, (_, i) => i);
    await a.publish(
      { head: '{}', data: all },
      { head: '{}', data: all.subarray(128, 131) },
      { head: '{}', data: new Uint8Array(0) },
      { head: '{}', data: bytes(UNICODE) },
    );
    await b.until(() => b.entries.length === 4, 'all');
    assert.deepEqual(
      b.entries.map(({ data }) => [...data]),
      [[...all], [128, 129, 130], [], [...Buffer.from(UNICODE)]],
    );
    for (const { data } of (await a.link.read(b.entries[0].id, 10)).entries)
      assert(data instanceof Uint8Array);
  });

  it('keep a head of any Unicode as it is', async () => {
    const [a, b] = await links(2);
    const heads = [UNICODE, '', 'x'.repeat(70_000), '🦊'.repeat(9_000)];
    await a.publish(...heads.map((head) => ({ head, data: bytes('1') })));
    await b.until(() => b.entries.length === heads.length, 'all');
    assert.deepEqual(
      b.entries.map(({ head }) => head),
      heads,
    );
    const { entries } = await a.link.read(b.entries[0].id, 10);
    assert.deepEqual(
      entries.map(({ head }) => head),
      heads.slice(1),
    );
  });

  it('carry events of 1 B to 1 MiB, and a batch of many', async () => {
    const [a, b] = await links(2);
    const sizes = [1, 2, 255, 4_095, 65_536, 65_537, (1 << 20) - 1, 1 << 20];
    const made = sizes.map((size, i) => Buffer.alloc(size, String.fromCharCode(97 + i)));
    for (const data of made) await a.publish({ head: '{}', data });
    await a.publish(...Array.from({ length: 256 }, (_, i) => `${i}`));
    await b.until(() => b.entries.length === sizes.length + 256, 'all');
    for (const [i, data] of made.entries()) assert(b.entries[i].data.equals(data), `${sizes[i]} B`);
    assert.deepEqual(
      b.texts.slice(sizes.length),
      Array.from({ length: 256 }, (_, i) => `${i}`),
    );
  });
}

module.exports = { UNICODE, definesBytes, definesOrder, definesRepeats };
