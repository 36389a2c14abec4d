'use strict';

const { performance } = require('node:perf_hooks');
const { goal, used } = require('../suite/scenario');
const { eventText, random, sleep, turn } = require('../suite/work');

const MIB = 2 ** 20;
const TICK_MS = 10;

const next = random(12);
let joined; // of each client the rooms that it is in, the oldest first

/** A client joins a room; one that is in as many as it may be leaves the oldest. */
function change(client, names, { rooms, most }) {
  if (names.length === most) {
    client.leave(names.shift());
    return;
  }
  const room = `room ${Math.floor(next() * rooms)}`;
  if (names.includes(room)) return;
  names.push(room);
  client.join(room);
}

/** For so many seconds, at a steady rate, some client joins or leaves. */
async function churn(server, settings) {
  const { rate, slice_s: seconds } = settings;
  const clients = server.clients();
  joined ??= clients.map(() => []);
  const start = performance.now();
  const each = (rate * TICK_MS) / 1000;
  const ticks = (seconds * 1000) / TICK_MS;
  for (let tick = 1; tick <= ticks; tick++) {
    for (let k = 0; k < each; k++) {
      const at = Math.floor(next() * clients.length);
      change(clients[at], joined[at], settings);
    }
    const rest = start + tick * TICK_MS - performance.now();
    await (rest > 0 ? sleep(rest) : turn());
  }
  return { operations: ticks * each, seconds: (performance.now() - start) / 1000 };
}

/** All leave what they are in, then join one room, and it gets an event: nobody has been lost, nobody is there twice. */
async function gather(server) {
  const clients = server.clients();
  clients.forEach((client, at) => {
    for (const room of joined[at]) client.leave(room);
    client.join('gathered');
  });
  await server.toRoom('gathered', eventText(1, ''));
}

async function measure({ settings, start, load }) {
  const { clients, warm_s, slice_s, slices } = settings;
  const server = await start();
  const readers = await load(server);
  await readers.open('/events', { clients });
  await server.work('churn', { slice_s: warm_s });
  const settled = async () => {
    await server.gc();
    return (await server.usage()).rss / MIB;
  };
  const base = await settled();
  const series = [[0, 0]];
  const sum = { cpu_s: 0, js_s: 0, operations: 0, seconds: 0 };
  for (let k = 1; k <= slices; k++) {
    const before = await server.usage();
    const { operations, seconds } = await server.work('churn', { slice_s });
    const { cpu_s, js_s } = used(before, await server.usage());
    sum.cpu_s += cpu_s;
    sum.js_s += js_s;
    sum.operations += operations;
    sum.seconds += seconds;
    series.push([sum.seconds, (await settled()) - base]);
  }
  await server.work('gather');
  await readers.arrived({ total: clients });
  return {
    rate: sum.operations / sum.seconds,
    cpu_us: (sum.cpu_s * 1e6) / sum.operations,
    js_us: (sum.js_s * 1e6) / sum.operations,
    grown_mib: series.at(-1)[1],
    series: { memory: series },
  };
}

module.exports = {
  title: 'S12 join and leave',
  what: 'A hundred thousand times a second some client joins a room or leaves it: what that costs, and whether memory grows.',
  needs: ['rooms', 'churn'],
  drivers: ['fanline', 'res-write'],
  more: ['fanline-relay', 'fanline-detached', 'better-sse', 'socket.io'],
  variants: {
    churn: {
      clients: 1000,
      rooms: 1000,
      most: 4,
      rate: 100_000,
      warm_s: 1,
      slice_s: 0.5,
      slices: 6,
    },
  },
  columns: [
    { key: 'rate', title: 'operations', unit: '1/s', digits: 0 },
    { key: 'cpu_us', title: 'CPU per operation', unit: 'µs', digits: 2 },
    { key: 'js_us', title: 'of it the JS thread', unit: 'µs', digits: 2 },
    { key: 'grown_mib', title: 'memory grown by', unit: 'MiB', digits: 1 },
  ],
  charts: [
    {
      type: 'series',
      series: 'memory',
      xTitle: 'seconds of joins and leaves',
      title: 'S12 memory while clients join and leave',
      unit: 'MiB',
      atLeast: 20,
    },
  ],
  measure,
  work: {
    churn,
    gather,
  },
  goals: [
    goal('memory grown by', (of) => of('fanline', 'grown_mib'), {
      must: '<= 8',
      unit: 'MiB',
      digits: 1,
    }),
    goal('operations a second', (of) => of('fanline', 'rate') / 1e5, { must: '>= 0.95' }),
  ],
};
