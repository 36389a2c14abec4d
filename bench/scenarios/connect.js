'use strict';

const { goal, used } = require('../suite/scenario');

/** The first few hundred, which find nothing compiled, are closed before it counts. */
async function measure({ settings, start, load }) {
  const { clients, ahead, warm } = settings;
  const server = await start();
  const readers = await load(server);
  await readers.open('/events', { clients: warm, group: 'warm', ahead });
  await readers.close({ group: 'warm', abort: true });
  const before = await server.usage();
  const opened = await readers.open('/events', { clients, ahead });
  const { cpu_s, js_s } = used(before, await server.usage());
  return {
    connects_s: clients / opened.seconds,
    first_p50_ms: opened.first_p50_ms,
    first_p99_ms: opened.first_p99_ms,
    cpu_us: (cpu_s * 1e6) / clients,
    js_us: js_s === undefined ? undefined : (js_s * 1e6) / clients,
  };
}

module.exports = {
  title: 'S7 connection storm',
  what: 'Streams are opened as fast as the server takes them, hundreds at once: connects a second, and how long a client waits for the head of its answer.',
  needs: ['broadcast'],
  drivers: ['fanline', 'res-write'],
  more: [
    'better-sse',
    'fanline-relay',
    'fanline-detached',
    'fanline-tls',
    'res-write-tls',
    'sse-channel',
    'express-sse',
    'fastify-sse',
    'hono',
    'nchan',
    'socket.io',
    'bare',
  ],
  variants: { storm: { clients: 6000, warm: 1000, ahead: 500 } },
  columns: [
    { key: 'connects_s', title: 'connects', unit: '1/s', digits: 0 },
    { key: 'first_p50_ms', title: 'head of the answer p50', unit: 'ms', digits: 1 },
    { key: 'first_p99_ms', title: 'p99', unit: 'ms', digits: 1 },
    { key: 'cpu_us', title: 'CPU per connect', unit: 'µs', digits: 0 },
    { key: 'js_us', title: 'of it the JS thread', unit: 'µs', digits: 0 },
  ],
  measure,
  goals: [
    goal(
      'connects/s: res.write',
      (of) => of('fanline', 'connects_s') / of('res-write', 'connects_s'),
    ),
    goal('CPU per connect: res.write', (of) => of('fanline', 'cpu_us') / of('res-write', 'cpu_us')),
  ],
};
