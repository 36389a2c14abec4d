'use strict';

const { goal } = require('../suite/scenario');
const { broadcasts } = require('../suite/work');

const FAST = new Set(['fanline', 'fanline-relay', 'fanline-detached']);

/** A driver that would need minutes gets fewer events: the rate stays what it is. */
async function measure({ driver, settings, start, load }) {
  const clients = settings.clients;
  const events = FAST.has(driver) ? settings.events : Math.min(settings.events, settings.slow);
  const server = await start();
  const readers = await load(server);
  await readers.open('/events', { clients });
  const before = await server.usage();
  await server.work('broadcasts', { events });
  const got = await readers.arrived({ events });
  const after = await server.usage();
  return {
    deliveries_s: (clients * events) / got.span_s,
    cpu_us: ((after.cpu_s - before.cpu_s) * 1e6) / (clients * events),
  };
}

const rate = (other, variant) => (of) =>
  of('fanline', 'deliveries_s', variant) / of(other, 'deliveries_s', variant);

module.exports = {
  title: 'S2 flood',
  what: 'Broadcasts as fast as they can be made: how many deliveries a second.',
  needs: ['broadcast'],
  drivers: ['fanline', 'res-write', 'better-sse', 'nchan'],
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
    'bare',
  ],
  variants: {
    'one in each turn': { clients: 1000, events: 1000, slow: 200, hz: 0, size: 100, burst: 1 },
    '100 in each turn': { clients: 1000, events: 1000, slow: 400, hz: 0, size: 100, burst: 100 },
  },
  brief: ['one in each turn'],
  columns: [
    { key: 'deliveries_s', title: 'deliveries', unit: '1/s', digits: 0 },
    { key: 'cpu_us', title: 'CPU per delivery', unit: 'µs', digits: 3 },
  ],
  measure,
  work: { broadcasts },
  goals: [
    goal('deliveries/s: res.write', rate('res-write', 'one in each turn'), {
      must: '>= 25',
      aim: '>= 50',
      digits: 1,
    }),
    goal('deliveries/s: nchan', rate('nchan', 'one in each turn'), { must: '>= 40', digits: 1 }),
  ],
};
