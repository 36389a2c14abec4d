'use strict';

const { goal } = require('../suite/scenario');
const { broadcasts, sleep } = require('../suite/work');

/** Requests come from a load of their own, which has nothing else to do. */
async function measure({ settings, start, load }) {
  const { clients, events, every_us, idle_ms } = settings;
  const server = await start();
  const readers = await load(server);
  await readers.open('/events', { clients });
  const visitor = await load(server);
  await visitor.ping({ every_us });
  await (idle_ms ? sleep(idle_ms) : server.work('broadcasts'));
  const { p50_ms, p99_ms, max_ms, pings } = await visitor.pings();
  if (!idle_ms) await readers.arrived({ events });
  if (pings === 0) throw new Error('no ping was answered');
  return { ping_p50_ms: p50_ms, ping_p99_ms: p99_ms, ping_max_ms: max_ms };
}

module.exports = {
  title: 'S10 ping',
  what: 'An ordinary request to the same server, a hundred a second, during S1 and while nothing is sent. A request that had to wait for the one before it has waited since it was due.',
  needs: ['broadcast', 'ping'],
  drivers: ['fanline', 'res-write', 'better-sse'],
  more: ['fanline-relay', 'fanline-detached', 'socket-write', 'sse-channel', 'nchan', 'socket.io'],
  variants: {
    'during S1': { clients: 4000, events: 30, hz: 10, size: 100, every_us: 10_000 },
    idle: { clients: 4000, idle_ms: 2_000, every_us: 10_000 },
  },
  columns: [
    { key: 'ping_p50_ms', title: 'GET /ping p50', unit: 'ms', digits: 2 },
    { key: 'ping_p99_ms', title: 'GET /ping p99', unit: 'ms', digits: 2 },
    { key: 'ping_max_ms', title: 'longest', unit: 'ms', digits: 1 },
  ],
  measure,
  work: { broadcasts },
  goals: [
    goal(
      'GET /ping p99: res.write',
      (of) => of('fanline', 'ping_p99_ms') / of('res-write', 'ping_p99_ms'),
      { must: '<= 0.2' },
    ),
    goal(
      'GET /ping p99: idle',
      (of) => of('fanline', 'ping_p99_ms') / of('fanline', 'ping_p99_ms', 'idle'),
      { aim: '<= 2' },
    ),
  ],
};
