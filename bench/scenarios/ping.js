'use strict';

const { goal } = require('../suite/scenario');
const { broadcasts, sleep } = require('../suite/work');

/** Requests come from a load of their own, which has nothing else to do. */
async function pings(visitor, every_us, work) {
  await visitor.ping({ every_us });
  await work();
  const times = await visitor.pings();
  if (times.pings === 0) throw new Error('no ping was answered');
  return times;
}

async function measure({ settings, start, load }) {
  const { clients, events, every_us, idle_ms } = settings;
  const server = await start();
  const readers = await load(server);
  await readers.open('/events', { clients });
  const visitor = await load(server);
  const idle = await pings(visitor, every_us, () => sleep(idle_ms));
  const during = await pings(visitor, every_us, () => server.work('broadcasts'));
  await readers.arrived({ events });
  return {
    idle_p99_ms: idle.p99_ms,
    ping_p50_ms: during.p50_ms,
    ping_p99_ms: during.p99_ms,
    ping_max_ms: during.max_ms,
    idle_ratio: during.p99_ms / idle.p99_ms,
  };
}

module.exports = {
  title: 'S10 ping',
  what: 'An ordinary request to the same server, a hundred a second, while nothing is sent and then during S1. Each goes out when it is due, whatever has become of the ones before.',
  needs: ['broadcast', 'ping'],
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
    'bare',
  ],
  variants: {
    'during S1': { clients: 4000, events: 30, hz: 10, size: 100, every_us: 10_000, idle_ms: 1500 },
  },
  columns: [
    { key: 'ping_p99_ms', title: 'GET /ping p99', unit: 'ms', digits: 2 },
    { key: 'ping_p50_ms', title: 'p50', unit: 'ms', digits: 2 },
    { key: 'ping_max_ms', title: 'longest', unit: 'ms', digits: 1 },
    { key: 'idle_p99_ms', title: 'p99 while nothing is sent', unit: 'ms', digits: 2 },
    { key: 'idle_ratio', title: 'beside that', digits: 1 },
  ],
  measure,
  work: { broadcasts },
  goals: [
    goal(
      'GET /ping p99: res.write',
      (of) => of('fanline', 'ping_p99_ms') / of('res-write', 'ping_p99_ms'),
      { must: '<= 0.2' },
    ),
    goal('GET /ping p99: while nothing is sent', (of) => of('fanline', 'idle_ratio'), {
      aim: '<= 2',
      digits: 1,
    }),
  ],
};
