'use strict';

const { goal, used } = require('../suite/scenario');
const { sendTokens, tokens } = require('../suite/work');

async function measure({ driver, settings, start, load }) {
  const { clients, events, way } = settings;
  const server = await start();
  const readers = await load(server);
  await readers.open('/stream', { clients });
  const before = await server.usage();
  await server.work(way ? 'pipes' : 'sends');
  const got = await readers.arrived({ events, ends: true });
  const { cpu_s, js_s } = used(before, await server.usage());
  const late = driver === 'at-the-end'; // by intent: it says nothing
  return {
    cpu_us: (cpu_s * 1e6) / (clients * events),
    js_us: js_s === undefined ? undefined : (js_s * 1e6) / (clients * events),
    p50_ms: late ? undefined : got.p50_ms,
    p99_ms: late ? undefined : got.p99_ms,
  };
}

const beside = (key, variant) => (of) =>
  of('fanline', key, variant) / of('res-write', key, variant);
const net = (key, variant) => (of) => {
  const sources = of('at-the-end', key, variant);
  return (of('fanline', key, variant) - sources) / (of('res-write', key, variant) - sources);
};

module.exports = {
  title: 'S4 token streams',
  what: 'Each stream gets tokens of its own, as a language model gives them: by send() as they come, and piped from an async generator each. at-the-end is what the sources cost without anything sent.',
  needs: ['private'],
  able: (has, { way }) => way !== 'pipe' || has('pipe'),
  drivers: ['fanline', 'res-write', 'at-the-end'],
  more: [
    'fanline-relay',
    'fanline-detached',
    'fanline-tls',
    'res-write-tls',
    'socket-write',
    'better-sse',
    'sse-channel',
    'fastify-sse',
    'hono',
    'socket.io',
    'bare',
  ],
  variants: {
    send: { clients: 1000, events: 120, hz: 50, size: 10, tick_ms: 2 },
    pipe: { clients: 1000, events: 120, hz: 50, size: 10, way: 'pipe' },
  },
  brief: ['send'],
  columns: [
    { key: 'cpu_us', title: 'CPU per token', unit: 'µs', digits: 2 },
    { key: 'js_us', title: 'of it the JS thread', unit: 'µs', digits: 2 },
    { key: 'p50_ms', title: 'latency p50', unit: 'ms', digits: 1 },
    { key: 'p99_ms', title: 'latency p99', unit: 'ms', digits: 1 },
  ],
  measure,
  work: {
    sends: (_server, settings, streams) => sendTokens(streams, settings),
    pipes: (_server, settings, streams) =>
      Promise.all(streams.map((stream) => stream.pipe(tokens(settings)))).then(() => {}),
  },
  goals: [
    goal('CPU per token: res.write', beside('cpu_us'), { must: '<= 0.8', aim: '<= 0.5' }),
    goal('JS thread per token: res.write', beside('js_us'), { must: '<= 0.2' }),
    goal('piped, CPU per token: res.write', beside('cpu_us', 'pipe'), { aim: '<= 0.8' }),
    goal('piped, without the sources, CPU per token: res.write', net('cpu_us', 'pipe'), {
      must: '<= 0.8',
    }),
    goal('piped, without the sources, JS thread per token: res.write', net('js_us', 'pipe'), {
      must: '<= 0.2',
    }),
  ],
};
