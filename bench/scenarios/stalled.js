'use strict';

const { performance } = require('node:perf_hooks');
const { goal } = require('../suite/scenario');
const { eventText, paced } = require('../suite/work');

const MIB = 2 ** 20;

/** `events` more to everybody: numbers go on where they were. */
let number = 0;
function more(server, { size, events, hz }) {
  const padding = 'x'.repeat(size);
  return paced(() => server.broadcast(eventText(++number, padding)), { events, hz }).then(() => {});
}

/** Notes what the server's memory has grown by, until the work is through. */
async function watched(server, work) {
  const base = (await server.usage()).rss;
  const start = performance.now();
  const series = [[0, 0]];
  let running = true;
  const through = work.finally(() => {
    running = false;
  });
  while (running) {
    await Promise.race([through, new Promise((resolve) => setTimeout(resolve, 200))]);
    const seconds = (performance.now() - start) / 1000;
    series.push([seconds, ((await server.usage()).rss - base) / MIB]);
  }
  await through;
  return series;
}

/** Calls of sendmsg for each event and client that reads. */
async function writesSince(server, before, healthy, events) {
  const after = await server.stats();
  return after?.writes === undefined
    ? undefined
    : (after.writes - before.writes) / (healthy * events);
}

async function measure({ settings, start, load, has }) {
  const { clients, share, quiet, events, queueBytes } = settings;
  const stalled = Math.round(clients * share);
  const healthy = clients - stalled;
  const server = await start({ queueBytes }); // nobody is ended for what waits
  const readers = await load(server);
  await readers.open('/events', { clients: healthy });
  await readers.open('/events', { clients: stalled, group: 'others' });
  const stats = () => (has('stats') ? server.stats() : undefined);

  const run = async (events, expected) => {
    await readers.reset();
    const before = await stats();
    await server.work('more', { events });
    const got = await readers.arrived({ events });
    return { ...got, writes: before && (await writesSince(server, before, expected, events)) };
  };
  await run(Math.ceil(quiet / 4), clients); // until V8 and the allocator have found their size
  const without = await run(quiet, clients);
  await readers.stall(stalled, 'others');
  let during;
  const series = await watched(
    server,
    run(events, healthy).then((result) => {
      during = result;
    }),
  );
  return {
    p99_before_ms: without.p99_ms,
    p99_ms: during.p99_ms,
    p99_ratio: during.p99_ms / without.p99_ms,
    writes: during.writes,
    writes_ratio: during.writes && during.writes / without.writes,
    grown_mib: Math.max(...series.map(([, mib]) => mib)),
    series: { memory: series },
  };
}

module.exports = {
  title: 'S6 stalled readers',
  what: 'One reader in twenty stops reading. In the same process before and after: how late events are for the others, what they cost, and how memory grows.',
  needs: ['broadcast'],
  drivers: ['fanline', 'res-write'],
  more: [
    'better-sse',
    'fanline-relay',
    'fanline-detached',
    'socket-write',
    'sse-channel',
    'express-sse',
    'fastify-sse',
    'hono',
    'nchan',
    'socket.io',
  ],
  variants: {
    '5 % stalled': {
      clients: 200,
      share: 0.05,
      size: 32_768,
      hz: 60,
      quiet: 120,
      events: 240,
      queueBytes: 33_554_432,
    },
  },
  columns: [
    { key: 'p99_before_ms', title: 'latency p99 before', unit: 'ms', digits: 1 },
    { key: 'p99_ms', title: 'p99 with stalled readers', unit: 'ms', digits: 1 },
    { key: 'p99_ratio', title: 'ratio', digits: 2 },
    { key: 'writes', title: 'sendmsg per reader and event', digits: 3 },
    { key: 'writes_ratio', title: 'beside before', digits: 2 },
    { key: 'grown_mib', title: 'memory grown by', unit: 'MiB', digits: 0 },
  ],
  charts: [
    {
      type: 'series',
      series: 'memory',
      xTitle: 'seconds with stalled readers',
      title: 'S6 memory while one reader in twenty has stopped',
      unit: 'MiB',
    },
  ],
  measure,
  work: { more },
  goals: [
    goal("others' p99: before", (of) => of('fanline', 'p99_ratio'), { must: '<= 1.25' }),
    goal('sendmsg per reader and event: before', (of) => of('fanline', 'writes_ratio'), {
      must: '<= 1.02',
      digits: 3,
    }),
    goal('memory grown by', (of) => of('fanline', 'grown_mib'), {
      must: '<= 32',
      unit: 'MiB',
      digits: 0,
    }),
  ],
};
