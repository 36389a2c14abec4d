'use strict';

const { goal, used } = require('../suite/scenario');
const { tokens } = require('../suite/work');

async function measure({ driver, settings, start, load }) {
  const { clients, events } = settings;
  const server = await start();
  const readers = await load(server);
  await readers.open('/stream', { clients });
  const before = await server.usage();
  await server.work('pipe');
  const got = await readers.arrived({ events, ends: true });
  const { cpu_s, js_s } = used(before, await server.usage());
  const late = driver === 'at-the-end'; // by intent: it says nothing
  return {
    cpu_us: (cpu_s * 1e6) / (clients * events),
    js_us: (js_s * 1e6) / (clients * events),
    p50_ms: late ? undefined : got.p50_ms,
    p99_ms: late ? undefined : got.p99_ms,
  };
}

const beside = (key) => (of) => of('fanline', key) / of('res-write', key);
const net = (key) => (of) =>
  (of('fanline', key) - of('at-the-end', key)) / (of('res-write', key) - of('at-the-end', key));

module.exports = {
  title: 'S4 token streams',
  what: 'Each stream has a source of its own, as the answers of a language model have; at-the-end is what the sources cost alone.',
  needs: ['private', 'pipe'],
  drivers: ['fanline', 'res-write', 'at-the-end'],
  variants: { pipe: { clients: 1000, events: 150, hz: 50, size: 10 } },
  columns: [
    { key: 'cpu_us', title: 'CPU per token', unit: 'µs', digits: 2 },
    { key: 'js_us', title: 'of it the JS thread', unit: 'µs', digits: 2 },
    { key: 'p50_ms', title: 'latency p50', unit: 'ms', digits: 1 },
    { key: 'p99_ms', title: 'latency p99', unit: 'ms', digits: 1 },
  ],
  measure,
  work: {
    pipe: (_server, settings, streams) =>
      Promise.all(streams.map((stream) => stream.pipe(tokens(settings)))).then(() => {}),
  },
  goals: [
    goal('CPU per token: res.write', beside('cpu_us'), { must: '<= 0.8', aim: '<= 0.5' }),
    goal('JS thread per token: res.write', beside('js_us'), { must: '<= 0.2' }),
    goal('CPU per token without the sources: res.write', net('cpu_us')),
    goal('JS thread per token without the sources: res.write', net('js_us')),
  ],
};
