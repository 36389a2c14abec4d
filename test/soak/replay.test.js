'use strict';

// 100,000 events that 100 clients have missed, at once: no turn of the JavaScript thread is long, memory stays bounded, events for
// others are in time, and nobody has a hole. Readers and server are processes of their own.

const assert = require('node:assert/strict');
const { open } = require('../js/support/open');
const { MIB, Server, readAll } = require('./support/harness');

const EVENTS = 100_000;
const CLIENTS = 100;
const SIZE = 250;
const LIVE = 10_000; // at most so many are sent while the others catch up
const EVERY = 10; // ms between two of these
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

describe('soak: 100 clients that have missed 100,000 events', function () {
  this.timeout(300_000);
  let server;
  let load;
  afterEach(() => {
    load?.stop();
    server.stop();
  });

  it('no turn above 20 ms, memory bounded, live events within 100 ms, no hole', async () => {
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
    const early = (await first).sent;
    await listeners[4].stream.until(() => listeners[4].delays.length === early - EVENTS);
    for (const { delays } of listeners) delays.length = 0;

    const base = server.rss();
    const unwatch = server.watch();
    const running = server.ask({ live: EVERY });
    load = await readAll(port, '/replay', CLIENTS, early, 100);
    const got = await load.done;
    server.tell({});
    const { turns, work, sent, stats: after } = await running;
    const growth = unwatch() - base;
    for (const { stream, delays } of listeners) {
      await stream.until(() => delays.length === sent - early);
      stream.close();
    }

    const delays = listeners.flatMap((it) => it.delays).sort((a, b) => a - b);
    const p50 = delays[delays.length >> 1];
    const rate = Math.round((CLIENTS * EVENTS) / got.seconds / 1e3);
    console.log(
      `      ${got.seconds.toFixed(1)} s, ${rate}k events/s, history ${(stats.historyBytes / MIB).toFixed(0)} MiB, RSS +${growth.toFixed(1)} MiB;` +
        ` longest turn ${turns.longest.toFixed(1)} ms (${turns.blocked} blocked); in front of a live event ${work.toFixed(1)} ms of work;` +
        ` it took ${p50.toFixed(1)} ms (p50), at most ${delays.at(-1).toFixed(1)} ms`,
    );
    assert.deepEqual([got.finished, got.disorder], [CLIENTS, 0]);
    assert.deepEqual([after.replays, after.resets, after.drops], [CLIENTS, 0, {}]);
    assert.ok(after.eventsReplayed >= CLIENTS * EVENTS);
    assert.ok(turns.longest <= TURN && turns.blocked <= 2, JSON.stringify(turns));
    assert.ok(growth <= GROWTH, `${growth} MiB more`);
    assert.ok(work <= DELAY, `${work} ms of work in front of a live event`);
    assert.ok(p50 <= DELAY, `${p50} ms`);
  });
});
