'use strict';

// node bench/scaling/measure.js: what the simulation needs to know, measured here; `--write` keeps it in measured.json.
//
// Redis and the servers do a few kinds of work: a batch that is appended, an event in it, a page that is read, an event in that.
// How often each was done is counted (INFO commandstats), at several rates and numbers of processes, where batches and pages are
// small and where they are large; what each costs is the least-squares solution for the CPU time that the system charges.

const fs = require('node:fs');
const http = require('node:http');
const os = require('node:os');
const path = require('node:path');
const { setTimeout: delay } = require('node:timers/promises');
const { createParser } = require('eventsource-parser');
const connect = require('../distribution/connection');
const { Venue, cpuOf } = require('../distribution/venue');
const { Load } = require('../suite/load');
const { buildNative } = require('../suite/native');
const { leastSquares } = require('./least-squares');

const FILE = path.join(__dirname, 'measured.json');
const SETTINGS = { size: 100, burst: 16, window: 1024, maxLen: 100_000, library: 'ioredis' };
const ACTS = [
  { act: 'steady', hz: 200, seconds: 1.5 },
  { act: 'steady', hz: 600, seconds: 1.5 },
  { act: 'flood', seconds: 1.5 },
];
const PROCESSES = [1, 3, 8];
const SENDERS = 3; // in a flood: with more of them two cores have no time for anything else
const MISSED = 1_000; // events
const RETURNING = 50; // clients that have missed them
const CLIENTS = [500, 2_500, 4_500];

async function countsOf(client) {
  const stats = await client.info('commandstats');
  const calls = (name) => Number(new RegExp(`cmdstat_${name}:calls=(\\d+)`).exec(stats)?.[1] ?? 0);
  const bytes = /total_net_output_bytes:(\d+)/.exec(await client.info('stats'))[1];
  return { batches: calls('evalsha'), pages: calls('xread'), bytes: Number(bytes) };
}

/** CPU µs and what was done, of one way of sending. */
async function observe(venue, client, act, processes) {
  const look = async () => ({ cpu: await venue.cpu(), ...(await countsOf(client)) });
  const before = await look();
  const start = await venue.act({ act: 'none' });
  await venue.readers.ask({ timed: act.act === 'steady' });
  const senders = venue.servers.slice(0, act.act === 'flood' ? SENDERS : 1);
  const { sent, p50_ms } = await venue.act(act, senders);
  const after = await look();
  const events = sent - start.sent;
  const less = (key) => after[key] - before[key];
  const us = (kind) => (after.cpu[kind] - before.cpu[kind]) * 1e6;
  const [batches, pages] = [less('batches'), less('pages')];
  return {
    processes,
    seconds: act.seconds,
    act: `${act.act} ${act.hz ?? ''}`.trim(),
    p50_ms,
    x: [batches, events, pages, events * processes],
    redis_us: us('redis'),
    servers_us: us('servers'),
    bytes: less('bytes') / (events * processes),
  };
}

async function exchange() {
  const rows = [];
  let way_us = 0;
  let stream_bytes = 0;
  let receive_us = 0;
  for (const processes of PROCESSES) {
    const venue = await Venue.open('fanline', processes, SETTINGS);
    try {
      const client = await connect('ioredis', venue.redis.port);
      await venue.act({ act: 'flood', seconds: 2 }, venue.servers.slice(0, SENDERS));
      for (const act of ACTS) rows.push(await observe(venue, client, act, processes));
      const length = await client.xlen('{fanline}:events');
      const usage = await client.memory('USAGE', '{fanline}:events', 'SAMPLES', '0');
      stream_bytes = usage / length;
      if (processes === 1) way_us = await wayOf(client);
      if (processes === SENDERS) receive_us = await unheard(venue);
      client.disconnect();
    } finally {
      await venue.close();
    }
  }
  const of = (key) => leastSquares(rows.map((row) => ({ x: row.x, y: row[key] })));
  const [script, append, reply, entry] = of('redis_us');
  const [batch, send, page, receive] = of('servers_us');
  return {
    redis_batch_us: script,
    redis_event_us: append,
    redis_page_us: reply,
    redis_entry_us: entry,
    batch_us: batch,
    send_us: send,
    page_us: page,
    receive_us: receive,
    unheard_us: receive_us,
    way_us,
    stream_bytes,
    wire_bytes: Math.max(...rows.map((row) => row.bytes)) - SETTINGS.size,
    rows,
  };
}

/** From a process to Redis, or back: half of what PING takes. */
async function wayOf(client) {
  const times = [];
  for (let i = 0; i < 2_000; i++) {
    const start = performance.now();
    await client.ping();
    times.push(performance.now() - start);
  }
  return (times.sort((a, b) => a - b)[1_000] * 1e3) / 2;
}

/** CPU of a process for each event of a room in which it has nobody. */
async function unheard(venue) {
  const [sender, other] = venue.servers;
  const before = { sent: (await sender.ask({})).sent, cpu: (await other.ask({})).cpu_s };
  await sender.ask({ act: 'flood', seconds: 1.5, room: 'elsewhere' });
  await delay(300);
  const after = { sent: (await sender.ask({})).sent, cpu: (await other.ask({})).cpu_s };
  return ((after.cpu - before.cpu) * 1e6) / (after.sent - before.sent);
}

/** What clients cost that are only there: memory, and the CPU of their coming. */
async function clients() {
  buildNative();
  const venue = await Venue.open('fanline', 1, SETTINGS);
  const [server] = venue.servers;
  const status = (name) =>
    Number(new RegExp(`${name}:\\s+(\\d+)`).exec(fs.readFileSync(`/proc/${server.pid}/status`))[1]);
  const points = [];
  let open = 1;
  let load;
  try {
    load = await Load.start(await server.ready, 60);
    for (const count of CLIENTS) {
      const before = cpuOf(server.pid);
      await load.open('/', { clients: count - open + 1 });
      const connect_us = ((cpuOf(server.pid) - before) * 1e6) / (count - open + 1);
      open = count + 1;
      await delay(500);
      points.push({ count, kib: status('VmRSS'), fds: fdsOf(server.pid), connect_us });
    }
  } finally {
    load?.kill();
    await venue.close();
  }
  const [, from, to] = points;
  const slope = (key) => (to[key] - from[key]) / (to.count - from.count);
  return {
    client_bytes: slope('kib') * 1024,
    client_fds: slope('fds'),
    connect_us: to.connect_us,
    base_mib: (points[0].kib - slope('kib') * points[0].count) / 1024,
    points,
  };
}

const fdsOf = (pid) => fs.readdirSync(`/proc/${pid}/fd`).length;

/** Clients that come back to a process which was not there: what they missed is read from Redis, for each of them. */
async function replay() {
  const venue = await Venue.open('fanline', 1, SETTINGS);
  let late;
  try {
    const client = await connect('ioredis', venue.redis.port);
    await venue.act({ act: 'steady', hz: 2 * MISSED, seconds: 0.5 });
    const [[lastEventId]] = await client.xrange('{fanline}:events', '-', '+', 'COUNT', 1);
    late = venue.another();
    const { port } = await late.ready;
    const look = () => [cpuOf(late.pid), cpuOf(venue.redis.pid)];
    const before = look();
    await Promise.all(Array.from({ length: RETURNING }, () => missed(port, lastEventId)));
    const after = look();
    client.disconnect();
    const events = RETURNING * (MISSED - 1);
    const [server, redis] = after.map((cpu, i) => ((cpu - before[i]) * 1e6) / events);
    return { replay_us: server, redis_replay_us: redis };
  } finally {
    await late?.stop();
    await venue.close();
  }
}

/** Resolves when a client has all that it missed. */
function missed(port, lastEventId) {
  return new Promise((resolve, reject) => {
    const headers = { Accept: 'text/event-stream', 'Last-Event-ID': lastEventId };
    const request = http.get({ host: '127.0.0.1', port, headers, agent: false }, (res) => {
      let rest = MISSED - 1;
      const onEvent = () => {
        if (--rest > 0) return;
        resolve();
        res.destroy();
      };
      const parser = createParser({ onEvent });
      res.setEncoding('utf8').on('data', (chunk) => parser.feed(chunk));
    });
    request.on('error', reject);
  });
}

/** What other benchmarks have printed. */
const ELSEWHERE = {
  delivery_us: [7.52, 'npm run bench -- paced (docs/performance.md)'],
  kept_us: [
    0.12,
    'npm run soak: 10 million events for clients that come back in 1.0 to 1.3 s (docs/performance.md)',
  ],
};

const POINTS = {
  paced_p99_ms: [
    36,
    0.25,
    'npm run bench -- paced: 4,000 clients, 10 events a second (docs/performance.md)',
  ],
  storm_tenth: [
    0.18,
    0.15,
    'npm run test:load: 5,000 readers, a grace of 4 s: the fullest tenth (docs/shutdown.md)',
  ],
  storm_last_s: [8.2, 0.05, 'the same: when the last one was back'],
};

/** What the simulation is held against, and how near it must come. */
function pointsOf(rows) {
  const steady = (processes, hz) =>
    rows.find((row) => row.processes === processes && row.act === `steady ${hz}`);
  const own = 'node bench/scaling/measure.js';
  const three = steady(3, 600);
  const busy = three.redis_us / 1e6 / three.seconds;
  const points = {
    redis_p50_ms: [steady(1, 600).p50_ms, 0.35, `${own}: 1 process, 600 events a second: p50`],
    redis_busy: [busy, 0.35, `${own}: 3 processes, 600 events a second: Redis`],
    ...POINTS,
  };
  return Object.fromEntries(
    Object.entries(points).map(([name, [value, tolerance, source]]) => [
      name,
      { value: round(value), tolerance, source },
    ]),
  );
}

const round = (value) => Number(value.toPrecision(3));

async function main() {
  const loads = [os.loadavg()[0]];
  const { rows, ...costs } = await exchange();
  const { points, ...sizes } = await clients();
  const found = { ...costs, ...sizes, ...(await replay()) };
  loads.push(os.loadavg()[0]);
  console.table(
    rows.map(({ x, ...row }) => ({ ...row, batches: x[0], events: x[1], pages: x[2] })),
  );
  console.table(points);
  const constants = {};
  for (const [name, value] of Object.entries(found)) {
    constants[name] = { value: round(value), source: 'node bench/scaling/measure.js' };
  }
  for (const [name, [value, source]] of Object.entries(ELSEWHERE))
    constants[name] = { value, source };
  console.table(constants);
  const load_average = loads.map((load) => load.toFixed(1)).join(', ');
  console.log(`load average ${load_average}`);
  if (!process.argv.includes('--write')) return;
  const machine = {
    node: process.version,
    cpus: os.cpus().length,
    cpu: os.cpus()[0].model,
    kernel: os.release(),
  };
  const kept = fs.existsSync(FILE) ? JSON.parse(fs.readFileSync(FILE, 'utf8')) : {};
  const all = {
    ...kept,
    machine,
    load_average,
    constants,
    points: pointsOf(rows),
  };
  fs.writeFileSync(FILE, `${JSON.stringify(all, null, 2)}\n`);
}

main().catch((err) => {
  console.error(err);
  process.exitCode = 1;
});
