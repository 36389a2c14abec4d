'use strict';

// What links know of the engine beside what comes: see ../conformance.js.

const assert = require('node:assert/strict');
const { setTimeout: delay } = require('node:timers/promises');
const { Probe, placeOf } = require('../support/probe');
const { UNICODE } = require('./events');

function definesPages({ begin, engine, link, links }) {
  it('read what is kept, page by page, from any place', async () => {
    const [a, b] = await links(2);
    const texts = Array.from({ length: 30 }, (_, i) => `${i}`);
    const ids = await a.publish(...texts);
    const seen = [];
    for (let after = ids[4], isOver = false; !isOver; ) {
      const { isWhole, entries } = await b.link.read(after, 10);
      assert.equal(isWhole, true);
      assert(entries.length <= 10);
      seen.push(...entries);
      isOver = entries.length === 0;
      after = entries.at(-1)?.id;
    }
    assert.deepEqual(
      seen.map(({ data }) => String(Buffer.from(data))),
      texts.slice(5),
    );
    assert.deepEqual(
      seen.map(({ id }) => id),
      ids.slice(5),
    );
    assert.equal(seen[0].number, 6);
  });

  it('read from where they began, before and behind the first event', async () => {
    const [a] = await links(1);
    const [, began] = a.ofKind('started')[0];
    assert.deepEqual(await a.link.read(began, 10), { isWhole: true, entries: [] });
    await a.publish('1');
    const { isWhole, entries } = await a.link.read(began, 10);
    assert.equal(isWhole, true);
    assert.equal(entries.length, 1);
  });

  it('say of a place before all they know that something may be missing', async () => {
    const [a] = await links(1);
    assert.equal((await a.link.read('1-0', 10)).isWhole, false);
    await a.publish('1');
    assert.equal((await a.link.read('1-0', 10)).isWhole, false);
  });

  it('say of a place whose next events have been let go of that something is missing', async () => {
    await begin({ maxLen: 100 });
    const a = await link();
    const ids = [];
    for (let i = 0; i < 10; i++) {
      ids.push(...(await a.publish(...Array.from({ length: 100 }, (_, n) => `${i}:${n}`))));
    }
    assert.equal((await a.link.read(ids[1], 10)).isWhole, false);
    const kept = await a.link.read(ids.at(-50), 1_000);
    assert.equal(kept.isWhole, true);
    assert.equal(kept.entries.length, 49);
    const slack = engine.slack ?? 0;
    assert.equal((await a.link.read(ids.at(-102 - slack), 10)).isWhole, false);
  });

  it('tell a link that is too slow what it has lost, and bring the rest', async () => {
    await begin({ maxLen: 100 });
    const [slow, sender] = [await link(), await link()];
    const go = slow.hold();
    await sender.publish('first');
    await slow.until(() => slow.ofKind('received').length === 1, 'the first');
    const big = 'x'.repeat(20_000); // more than may be on its way to one that does not take it
    for (let i = 0; i < 20; i++) {
      await sender.publish(...Array.from({ length: 20 }, (_, n) => `${i}:${n}:${big}`));
      await delay(1);
    }
    await sender.publish('last');
    go();
    await slow.until(() => slow.texts.at(-1) === 'last', 'the last');
    const lost = slow.ofKind('lost');
    assert(lost.length >= 1);
    assert(slow.entries.length < 402);
    // Between two that came next to each other nothing is missing but where it was told.
    const ids = sender.entries.map(({ id }) => id);
    const gaps = slow.entries.filter(
      ({ id }, i) => i > 0 && ids[ids.indexOf(id) - 1] !== slow.entries[i - 1].id,
    );
    assert.equal(gaps.length, lost.length);
    for (const [i, { id }] of gaps.entries()) assert(placeOf(lost[i][1]) < placeOf(id));
    assert.deepEqual(sender.ofKind('lost'), []);
  });
}

function definesProcesses({ engine, link, links, world }) {
  const alive = async (probe) => [...(await probe.link.processes())].sort();

  it('know who is alive: not those that have closed', async () => {
    const [a, b, c] = await links(3);
    assert.deepEqual(await alive(a), [a.process, b.process, c.process].sort());
    await b.close();
    for (const probe of [a, c]) assert.deepEqual(await alive(probe), [a.process, c.process].sort());
  });

  it('tell one process what another one answers, and nobody else', async () => {
    const [a, b, c] = await links(3);
    await b.link.answer(a.process, UNICODE);
    for (let i = 0; i < 20; i++) await c.link.answer(a.process, `${i}`);
    await a.link.answer(a.process, 'self');
    await a.until(() => a.answers.length === 22, 'the answers');
    assert.deepEqual(a.answers, [UNICODE, ...Array.from({ length: 20 }, (_, i) => `${i}`), 'self']);
    assert.deepEqual([...b.answers, ...c.answers], []);
  });

  it('have no error for an answer to whoever is gone', async () => {
    const [a, b] = await links(2);
    await b.close();
    await a.link.answer(b.process, 'too late');
    await a.link.answer('nobody', 'at all');
  });

  it('add up the clients of a user over all processes', async () => {
    const [a, b, c] = await links(3);
    assert.equal(await a.link.admit('ada', 2, 3), true);
    assert.equal(await b.link.admit('ada', 1, 3), true);
    assert.equal(await c.link.admit('ada', 1, 3), false);
    assert.equal(await c.link.admit('grace 🦊', 3, 3), true);
    assert.equal(await c.link.admit('ada', 0, 3), true);
    assert.equal(await b.link.admit('ada', 2, 3), false); // the latest number counts
    await a.close();
    assert.equal(await b.link.admit('ada', 3, 3), true);
  });

  const { dies = true, silence = 1_000 } = engine;
  if (!dies) return;
  it('no longer count one that has died, and have what it had been told is accepted', async function () {
    const [a] = await links(1);
    this.timeout(20_000 + silence);
    const { adapter: any, mortal = any } = world();
    const adapter = mortal();
    const dying = await link(adapter);
    await dying.publish('its last word');
    assert.equal(await dying.link.admit('ada', 2, 3), true);
    assert.equal(await a.link.admit('ada', 2, 3), false);
    await world().kill(adapter);
    const limit = Date.now() + silence;
    while ((await alive(a)).length > 1) {
      assert(Date.now() < limit, `it is still there after ${silence} ms`);
      await delay(silence / 50);
    }
    assert.equal(await a.link.admit('ada', 3, 3), true);
    await a.until(() => a.texts.includes('its last word'), 'its last word');
  });
}

function definesEnds({ begin, link, world }) {
  /** What keeps the process alive: how many of each kind. */
  function resources() {
    const counts = {};
    for (const kind of process.getActiveResourcesInfo()) counts[kind] = (counts[kind] ?? 0) + 1;
    return counts;
  }
  const more = (before) =>
    Object.entries(resources()).filter(([kind, count]) => count > (before[kind] ?? 0));

  it('leave nothing behind when they are closed, and tell nothing more', async () => {
    await begin();
    const other = await link();
    const before = resources();
    const probe = await link();
    const go = probe.hold();
    await other.publish('1');
    await probe.until(() => probe.ofKind('received').length === 1, 'the first');
    await other.publish('2', '3');
    await probe.close();
    await other.publish('4');
    go();
    await other.until(() => other.entries.length === 4, 'all at the other');
    const limit = Date.now() + 3_000;
    while (more(before).length > 0) {
      assert(Date.now() < limit, `${more(before).join(' ')} more than before`);
      await delay(5);
    }
    assert.deepEqual(probe.ofKind('lost'), []);
  });

  it('can be closed before they have begun', async () => {
    await begin();
    const probe = new Probe(world().adapter());
    await probe.close();
    const other = await link();
    await other.publish('1');
    await other.until(() => other.entries.length === 1, 'it');
    assert.deepEqual(
      probe.told.filter(([kind]) => kind !== 'started' && kind !== 'state'),
      [],
    );
    assert.deepEqual(probe.problems, []);
  });
}

module.exports = { definesEnds, definesPages, definesProcesses };
