'use strict';

const { goal, used } = require('../suite/scenario');
const { broadcasts } = require('../suite/work');

async function measure({ settings, start, load }) {
  const { clients, events, size } = settings;
  const server = await start();
  const readers = await load(server);
  await readers.open('/events', { clients });
  const before = await server.usage();
  const { busy_p50_ms } = await server.work('broadcasts');
  const got = await readers.arrived({ events });
  const after = await server.usage();
  const { cpu_s, js_s } = used(before, after);
  const delivered = clients * events;
  return {
    cpu_us: (cpu_s * 1e6) / delivered,
    gib_cpu_s: (cpu_s * 2 ** 30) / (delivered * size),
    busy_ms: js_s === undefined ? undefined : busy_p50_ms,
    js_ms: js_s === undefined ? undefined : (js_s * 1000) / events,
    p99_ms: got.p99_ms,
    grown_mib: (after.rss - before.rss) / 2 ** 20,
  };
}

module.exports = {
  title: 'S8 large payloads',
  what: 'Broadcasts of 16 and 256 KB: what carrying bytes costs, when a send to the kernel takes long and sockets fill.',
  needs: ['broadcast'],
  drivers: ['fanline', 'res-write'],
  more: [
    'fanline-relay',
    'fanline-detached',
    'fanline-tls',
    'res-write-tls',
    'socket-write',
    'better-sse',
    'nchan',
    'socket.io',
    'bare',
  ],
  variants: {
    '16 KB': { clients: 1000, events: 40, hz: 20, size: 16_384 },
    '256 KB': { clients: 200, events: 16, hz: 8, size: 262_144 },
  },
  columns: [
    { key: 'cpu_us', title: 'CPU per delivery', unit: 'µs', digits: 1 },
    { key: 'gib_cpu_s', title: 'CPU per GiB', unit: 's', digits: 2 },
    { key: 'busy_ms', title: 'JS thread per broadcast, p50', unit: 'ms', digits: 3 },
    { key: 'js_ms', title: 'its CPU per broadcast', unit: 'ms', digits: 3 },
    { key: 'p99_ms', title: 'latency p99', unit: 'ms', digits: 1 },
    { key: 'grown_mib', title: 'memory grown by', unit: 'MiB', digits: 1 },
  ],
  measure,
  work: { broadcasts },
  goals: [
    goal(
      '16 KB, CPU per delivery: res.write',
      (of) => of('fanline', 'cpu_us') / of('res-write', 'cpu_us'),
    ),
    goal(
      '256 KB, CPU per delivery: res.write',
      (of) => of('fanline', 'cpu_us', '256 KB') / of('res-write', 'cpu_us', '256 KB'),
    ),
  ],
};
