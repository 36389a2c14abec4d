'use strict';

// One stalled client among 200, 4 KB events, up to 5,000 in a second: memory, what the others get and what they cost, and what the
// stalled one sees in the end. Readers and server are processes of their own.

const assert = require('node:assert/strict');
const { open } = require('../js/support/open');
const { POLICIES } = require('../js/support/stalled');
const { numbersOf } = require('../js/support/venue');
const { MIB, Server, buildReader, readAll } = require('./support/harness');

const HEALTHY = 199;
const SIZE = 4_096;
const HZ = 5_000;
const BURST = 8; // events in one synchronous stretch
const QUEUE = 8 * MIB;
const FIT = Math.floor(QUEUE / (SIZE + 128)) - 1;
const WARM = 4_000; // until then V8 and the allocator find their size
const EVENTS = 10_000;
const GROWTH = (2 * QUEUE) / MIB + 16; // MiB
const UNCHANGED = 1.05; // writes for each healthy client, as a ratio

describe('soak: one stalled client among 200, 4 KB events', function () {
  this.timeout(300_000);
  before(buildReader);
  let control; // writes for each client and event, with nobody stalled

  /** One process with its readers, which have got WARM events. The client that is to stall has read them, too. */
  async function start(settings) {
    const server = new Server('stalled-server.js', {
      size: SIZE,
      burst: BURST,
      hz: HZ,
      ...settings,
    });
    const { port } = await server.reply();
    const stream = await open(`http://127.0.0.1:${port}/stalled`);
    const load = await readAll(port, '/healthy', HEALTHY, WARM + EVENTS, 250);
    await server.ask({ flood: { from: 1, to: WARM } });
    await stream.until(({ events }) => Number.parseInt(events.at(-1)?.data, 10) === WARM, 20_000);
    stream.events.length = 0;
    stream.text = '';
    const stop = () => {
      for (const it of [server, load]) it.stop();
      stream.close();
    };
    return { server, stream, load, stop };
  }

  /** The flood. @returns what it has cost: events in a second, MiB more, writes for each client and event */
  async function run({ server, load }) {
    const before = await server.ask({});
    const base = server.rss();
    const unwatch = server.watch();
    const { seconds, stats } = await server.ask({ flood: { from: WARM + 1, to: WARM + EVENTS } });
    const growth = unwatch() - base;
    const got = await load.done;
    assert.equal(got.complete, HEALTHY, 'each of the others got all');
    assert.equal(got.events, HEALTHY * (WARM + EVENTS));
    const writes = stats && (stats.writes - before.stats.writes) / HEALTHY / EVENTS;
    return { hz: Math.round(EVENTS / seconds), growth, writes, stats };
  }

  /** The stalled one reads on: it has got what the policy says, and the rest was counted and told. */
  async function assertSeen({ server, stream }, { told: early }, { check, overflow, keyed }) {
    const isCut = overflow === 'disconnect' && !keyed;
    if (isCut) assert.equal(early.slow.events > 0, true, 'ended during the flood');
    else await server.ask({ close: true });
    stream.resume();
    assert.equal((await stream.end(20_000)) === 'end', !isCut);
    const got = numbersOf(stream.events);
    check(got, WARM + 1, WARM + EVENTS, FIT);
    const { told, drops } = (await server.ask({})).stats;
    assert.deepEqual(told, drops);
    const { events, bytes } = told[isCut ? 'slow' : keyed ? 'replaced' : overflow];
    assert.equal(Object.keys(told).length, 1);
    if (isCut) assert.ok(bytes > QUEUE && events + got.length < EVENTS, `${events} events`);
    else assert.equal(events + got.length, EVENTS);
  }

  function report(name, { hz, growth, writes }) {
    const calls = writes ? `, ${writes.toFixed(4)} sendmsg per healthy client and event` : '';
    console.log(`      ${name}: ${hz} events/s, RSS +${growth.toFixed(1)} MiB${calls}`);
  }

  it('with nobody stalled, for comparison', async () => {
    const it = await start({ driver: 'fanline', hub: { limits: { queueBytes: QUEUE } } });
    try {
      const result = await run(it);
      await it.stream.until(({ events }) => events.length === EVENTS, 20_000);
      control = (result.writes * HEALTHY) / (HEALTHY + 1);
      report('nobody stalled', { ...result, writes: control });
    } finally {
      it.stop();
    }
  });

  for (const [name, { overflow, keyed }] of Object.entries(POLICIES)) {
    it(`${name}: memory is bounded, the others get all at the same cost, the stalled one what the policy says`, async () => {
      const hub = { overflow, limits: { queueBytes: QUEUE, stallTimeout: 120_000 } };
      const it = await start({ driver: 'fanline', keyed, hub });
      try {
        it.stream.pause();
        const result = await run(it);
        report(name, result);
        assert.ok(result.growth <= GROWTH, `${result.growth} MiB more`);
        assert.ok(result.writes <= control * UNCHANGED, `${result.writes}, not ${control}`);
        await assertSeen(it, result.stats, POLICIES[name]);
      } finally {
        it.stop();
      }
    });
  }

  it('with res.write, for comparison', async () => {
    const it = await start({ driver: 'res.write' });
    try {
      it.stream.pause();
      report('res.write', await run(it));
    } finally {
      it.stop();
    }
  });
});
