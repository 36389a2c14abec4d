'use strict';

const { goal } = require('../suite/scenario');
const { leastSquares } = require('../suite/statistics');
const { sleep } = require('../suite/work');

/** Resident bytes of all of the server's processes, with nothing to collect. */
async function settledBytes(server) {
  for (let i = 0; i < 3; i++) {
    await server.gc();
    await sleep(100);
  }
  return (await server.usage()).rss;
}

async function measure({ settings, start, load }) {
  const { from, to, points, warm } = settings;
  const server = await start();
  const readers = await load(server);
  await readers.open('/events', { clients: warm, group: 'warm' });
  await readers.close({ group: 'warm', abort: true });
  const series = [];
  for (let k = 0, open = 0; k < points; k++) {
    const wanted = Math.round(from + ((to - from) * k) / (points - 1));
    await readers.open('/events', { clients: wanted - open });
    open = wanted;
    series.push([open, (await settledBytes(server)) / 2 ** 20]);
  }
  const { open } = await readers.report();
  if (open !== to) throw new Error(`${to - open} streams have ended`);
  return {
    slope_kb: (leastSquares(series).slope * 2 ** 20) / 1000,
    total_mib: series.at(-1)[1],
    series: { memory: series },
  };
}

const beside = (driver) => (of) => of(driver, 'slope_kb') / of('res-write', 'slope_kb');

/** V8's young generation grows by megabytes at a time with what is allocated, whoever allocates. Held small, it says nothing. */
const FLAGS = ['--max-semi-space-size=1'];

module.exports = {
  title: 'S5 idle memory',
  what: 'Streams that get nothing, after collecting garbage: resident memory of the process for each one more, by the straight line through several points. The young generation of V8 is held at 1 MiB for all drivers.',
  needs: ['broadcast'],
  drivers: ['fanline', 'fanline-detached', 'res-write'],
  more: [
    'fanline-relay',
    'fanline-tls',
    'res-write-tls',
    'better-sse',
    'sse-channel',
    'express-sse',
    'fastify-sse',
    'hono',
    'nchan',
    'socket.io',
    'bare',
  ],
  variants: { idle: { from: 2000, to: 9000, points: 8, warm: 2000 } },
  columns: [
    { key: 'slope_kb', title: 'memory per stream', unit: 'KB', digits: 2 },
    { key: 'total_mib', title: 'whole process at the most', unit: 'MiB', digits: 0 },
  ],
  charts: [
    {
      type: 'points',
      series: 'memory',
      slope: 'slope_kb',
      slopeUnit: 'KB per stream',
      xTitle: 'streams',
      title: 'S5 memory of idle streams',
      unit: 'MiB',
    },
  ],
  measure,
  flags: FLAGS,
  goals: [
    goal('memory per stream: res.write', beside('fanline'), { must: '<= 1.1', aim: '<= 1' }),
    goal('memory per stream, detached: res.write', beside('fanline-detached'), {
      must: '<= 0.33',
      aim: '<= 0.2',
    }),
  ],
};
