'use strict';

// What every adapter must do. `conformance(engine)` defines the tests; each of them starts an engine of its own:
//
//   name                 what the tests are called by
//   start({ maxLen })    resolves with { adapter(), stop(), kill(adapter) }; maxLen: events that it shall keep, about
//     adapter()          a value for one more hub, as if in another process
//     stop()             the test is over, and every hub has been closed
//     kill(adapter)      its process dies without a word
//   dies                 false: kill() can't be done
//   slack                how many events beyond maxLen it may keep; default 0
//   silence              ms after which one that died is missing; default 1 000
//
// docs/adapters.md says how to run it against an adapter of yours.

const assert = require('node:assert/strict');
const { setTimeout: delay } = require('node:timers/promises');
const { definesHubs } = require('./conformance-hubs');
const { Probe, bytes, placeOf } = require('./support/probe');

const UNICODE = 'ä 漢字 🦊 \u0000 \u2028 \u2029 \uFFFD \u200D "\\" \r\n';

/** @param {object} engine see above */
function conformance(engine) {
  describe(`${engine.name}: links`, function () {
    this.timeout(20_000);
    let world;
    let probes = [];

    async function begin(limits) {
      world = await engine.start({ maxLen: 10_000, ...limits });
    }

    const keep = (probe) => probes.push(probe);

    async function link(adapter = world.adapter()) {
      const probe = new Probe(adapter);
      keep(probe);
      return probe.ready();
    }

    async function links(count) {
      await begin();
      const all = [];
      while (all.length < count) all.push(await link());
      return all;
    }

    afterEach(async () => {
      const over = probes;
      probes = [];
      for (const probe of over) await probe.close();
      await world?.stop();
      world = undefined;
      for (const probe of over) probe.check();
    });

    const shared = { begin, engine, keep, link, links, world: () => world };
    definesOrder(shared);
    definesRepeats(shared);
    definesBytes(shared);
    definesPages(shared);
    definesProcesses(shared);
    definesEnds(shared);
  });
  definesHubs(engine);
}

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
    const adapter = world().adapter();
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

module.exports = { conformance };
