'use strict';

const { goal, used } = require('../suite/scenario');
const { broadcasts } = require('../suite/work');

async function measure({ settings, start, load }) {
  const { clients, events } = settings;
  const server = await start();
  const readers = await load(server);
  await readers.open('/events', { clients });
  const before = await server.usage();
  const { busy_p50_ms } = await server.work('broadcasts');
  const got = await readers.arrived({ events });
  const { cpu_s, js_s } = used(before, await server.usage());
  return {
    cpu_us: (cpu_s * 1e6) / (clients * events),
    busy_ms: js_s === undefined ? undefined : busy_p50_ms,
    js_ms: js_s === undefined ? undefined : (js_s * 1000) / events,
    p50_ms: got.p50_ms,
    p99_ms: got.p99_ms,
  };
}

const cpu = (other) => (of) => of('fanline', 'cpu_us') / of(other, 'cpu_us');

module.exports = {
  title: 'S1 paced broadcast',
  what: 'Everybody gets ten events a second: what a delivery costs the server when nothing can be gathered.',
  needs: ['broadcast'],
  drivers: ['fanline', 'res-write', 'better-sse', 'nchan', 'bare'],
  more: [
    'fanline-relay',
    'fanline-detached',
    'fanline-tls',
    'res-write-tls',
    'socket-write',
    'sse-channel',
    'express-sse',
    'fastify-sse',
    'hono',
    'socket.io',
  ],
  variants: { paced: { clients: 4000, events: 30, hz: 10, size: 100 } },
  columns: [
    { key: 'cpu_us', title: 'CPU per delivery', unit: 'µs', digits: 2 },
    { key: 'busy_ms', title: 'JS thread per broadcast, p50', unit: 'ms', digits: 3 },
    { key: 'js_ms', title: 'its CPU per broadcast', unit: 'ms', digits: 3 },
    { key: 'p50_ms', title: 'latency p50', unit: 'ms', digits: 1 },
    { key: 'p99_ms', title: 'latency p99', unit: 'ms', digits: 1 },
  ],
  measure,
  work: { broadcasts },
  goals: [
    goal('CPU per delivery: bare C', cpu('bare'), { must: '<= 1.25', aim: '<= 1.05' }),
    goal('CPU per delivery: res.write', cpu('res-write'), { must: '<= 0.62' }),
    goal('JS thread per broadcast', (of) => of('fanline', 'busy_ms'), {
      must: '<= 0.25',
      aim: '<= 0.1',
      unit: 'ms',
    }),
  ],
};
