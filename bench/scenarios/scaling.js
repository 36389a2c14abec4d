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
  await readers.arrived({ events });
  const { cpu_s, js_s } = used(before, await server.usage());
  return {
    cpu_us: (cpu_s * 1e6) / (clients * events),
    busy_ms: js_s === undefined ? undefined : busy_p50_ms,
    js_ms: js_s === undefined ? undefined : (js_s * 1000) / events,
  };
}

const busy = (variant) => (of) => of('fanline', 'busy_ms', variant);

module.exports = {
  title: 'S11 scaling',
  what: 'What a delivery costs the server and a broadcast the JavaScript thread, from a hundred clients to nine thousand.',
  needs: ['broadcast'],
  drivers: ['fanline', 'res-write'],
  more: [
    'fanline-relay',
    'fanline-detached',
    'socket-write',
    'better-sse',
    'nchan',
    'socket.io',
    'bare',
  ],
  variants: {
    '100 clients': { clients: 100, events: 25, hz: 10, size: 100 },
    '1,000 clients': { clients: 1000, events: 25, hz: 10, size: 100 },
    '4,000 clients': { clients: 4000, events: 24, hz: 8, size: 100 },
    '9,000 clients': { clients: 9000, events: 15, hz: 5, size: 100 },
  },
  brief: ['100 clients', '4,000 clients', '9,000 clients'],
  columns: [
    { key: 'cpu_us', title: 'CPU per delivery', unit: 'µs', digits: 2 },
    { key: 'busy_ms', title: 'JS thread per broadcast, p50', unit: 'ms', digits: 3 },
    { key: 'js_ms', title: 'its CPU per broadcast', unit: 'ms', digits: 3 },
  ],
  charts: [
    {
      type: 'lines',
      name: 'scaling-cpu',
      key: 'cpu_us',
      x: 'clients',
      xTitle: 'clients',
      title: 'S11 CPU per delivery',
      unit: 'µs',
      log: 'x',
    },
    {
      type: 'lines',
      name: 'scaling-js',
      key: 'busy_ms',
      x: 'clients',
      xTitle: 'clients',
      title: 'S11 JavaScript thread per broadcast',
      unit: 'ms',
      log: 'xy',
    },
  ],
  measure,
  work: { broadcasts },
  goals: [
    ...['100', '1,000', '4,000', '9,000'].map((n) =>
      goal(`JS thread per broadcast, ${n} clients`, busy(`${n} clients`), {
        must: '<= 0.25',
        aim: '<= 0.1',
        unit: 'ms',
        digits: 3,
      }),
    ),
    goal(
      'JS thread per broadcast, 9,000 clients: 100',
      (of) => busy('9,000 clients')(of) / busy('100 clients')(of),
      { must: '<= 2' },
    ),
  ],
};
