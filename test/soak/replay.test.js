'use strict';

// 100,000 events that 100 clients have missed, at once: no turn of the JavaScript thread is long, memory stays bounded, events for
// others are in time, and nobody has a hole. Readers and server are processes of their own.

const assert = require('node:assert/strict');
const { open } = require('../js/support/open');
const { MIB, Server, buildReader, readAll } = require('./support/harness');

const EVENTS = 100_000;
const CLIENTS = 100;
const SIZE = 250;
const LIVE = 10_000; // at most so many are sent while the others catch up
const EVERY = 10; // ms between two of these
const ALONE = 4_000; // ms
const TURN = 20; // ms, of the JavaScript thread
const DELAY = 100; // ms, of a live event
const GROWTH = 64; // MiB

/** A reader of what is live: how long each event has taken to get here, ms. */
async function listen(url) {
  const stream = await open(url);
  const delays = [];
  stream.body.on('data', () => {
    for (const { event, data } of stream.events.splice(0)) {
      if (event === 'through') continue;
      const [, sent] = data.split(' ', 2);
      delays.push(Number(process.hrtime.bigint() - BigInt(sent)) / 1e6);
    }
  });
  return { stream, delays };
}

function sorted(listeners) {
  return listeners.flatMap(({ delays }) => delays).sort((a, b) => a - b);
}

function at(list, p) {
  return list[Math.floor((list.length - 1) * p)];
}

describe('soak: 100 clients that have missed 100,000 events', function () {
  this.timeout(300_000);
  before(buildReader);
  let server;
  let load;
  afterEach(() => {
    load?.stop();
    server.stop();
  });

  // A turn is judged by its work: by the clock it depends on what else has the processor, so that is only told. Live events are judged by the clock, which needs
  // processors that nothing else wants: what the slowest waited for is told.
  it('no turn works above 20 ms, memory is bounded, live events are there within 100 ms, nobody has a hole', async () => {
    const history = { events: EVENTS + LIVE + 1, bytes: 128 * MIB };
    const hub = { history, limits: { totalBytes: 1_024 * MIB } };
    server = new Server('replay-server.js', { events: EVENTS, size: SIZE, hub });
    const { port, stats } = await server.reply();
    assert.equal(stats.historyEvents, EVENTS + 1);
    const listeners = [];
    for (let i = 0; i < 5; i++) listeners.push(await listen(`http://127.0.0.1:${port}/live`));
    const first = server.ask({ live: 2 }); // what is compiled now need not be compiled then
    await listeners[0].stream.until(() => listeners[0].delays.length > 50);
    server.tell({});
    const warm = (await first).sent;
    await listeners[4].stream.until(() => listeners[4].delays.length === warm - EVENTS);
    for (const { delays } of listeners) delays.length = 0;

    // The same without anybody who catches up: what this machine does to a live event anyway.
    const alone = server.ask({ live: EVERY });
    await new Promise((resolve) => setTimeout(resolve, ALONE));
    server.tell({});
    const control = await alone;
    const early = control.sent;
    for (const { stream, delays } of listeners) {
      await stream.until(() => delays.length === early - warm);
    }
    const quiet = sorted(listeners);
    for (const { delays } of listeners) delays.length = 0;

    const base = server.rss();
    const unwatch = server.watch();
    const running = server.ask({ live: EVERY });
    load = await readAll(port, '/replay', CLIENTS, early, 100);
    const got = await load.done;
    server.tell({});
    const { turns, slowest, sent, stats: after } = await running;
    const growth = unwatch() - base;
    for (const { stream, delays } of listeners) {
      await stream.until(() => delays.length === sent - early);
      stream.close();
    }

    const busy = sorted(listeners);
    const rate = Math.round((CLIENTS * EVENTS) / got.seconds / 1e3);
    const times = (delays) => [0.5, 0.99, 1].map((p) => at(delays, p).toFixed(1)).join(' / ');
    console.log(
      `      ${got.seconds.toFixed(1)} s, ${rate}k events/s, history ${(stats.historyBytes / MIB).toFixed(0)} MiB, RSS +${growth.toFixed(1)} MiB\n` +
        `      longest turn: ${turns.longest.toFixed(1)} ms of work, ${turns.wall.toFixed(1)} by the clock; nobody catching up: ${control.turns.wall.toFixed(1)}\n` +
        `      live events, ms by the clock (p50 / p99 / most): ${times(busy)}; nobody catching up: ${times(quiet)}\n` +
        `      from a send to the kernel at most ${slowest.ms.toFixed(1)} ms: the loop worked for ${slowest.worked.toFixed(1)} of these and` +
        ` waited for a processor for ${slowest.waited.toFixed(1)}`,
    );
    assert.equal(got.complete, CLIENTS);
    assert.deepEqual([after.replays, after.resets, after.drops], [CLIENTS, 0, {}]);
    assert.ok(after.eventsReplayed >= CLIENTS * EVENTS);
    assert.ok(turns.longest <= TURN && turns.blocked <= 2, JSON.stringify(turns));
    assert.ok(growth <= GROWTH, `${growth} MiB more`);
    assert.ok(slowest.ms <= DELAY, `${slowest.ms} ms until a live event was written`);
    assert.ok(at(busy, 1) <= DELAY, `${at(busy, 1)} ms until a live event was there`);
  });
});
