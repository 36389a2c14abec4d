'use strict';

// node bench/scaling/simulate.js: the plans of docs/scaling.md with the costs of measured.json; `--write` puts its tables there.

const fs = require('node:fs');
const path = require('node:path');
const { Exchange } = require('./exchange');
const { arrivals, storm, tenths } = require('./storm');

const MEASURED = path.join(__dirname, 'measured.json');
const PAGE = path.join(__dirname, '..', '..', 'docs', 'scaling.md');
const FALLS_BEHIND = 0.9; // of Redis' time, for events alone
const FRAME = 110; // bytes around the data of an event on its way to a client: field names, id, chunk, TCP and IP

/** Clients are spread evenly; `audience` is how many of them each event is for, `events` how many a second there are in all. */
const PLANS = [
  {
    name: '1 M, rooms of 100',
    clients: 1e6,
    processes: 50,
    streams: 1,
    events: 1_000,
    audience: 100,
  },
  {
    name: '… ten times the events',
    clients: 1e6,
    processes: 50,
    streams: 1,
    events: 10_000,
    audience: 100,
  },
  {
    name: '… on fewer, larger processes',
    clients: 1e6,
    processes: 20,
    streams: 1,
    events: 10_000,
    audience: 100,
  },
  {
    name: '1 M, one event a second for all',
    clients: 1e6,
    processes: 50,
    streams: 1,
    events: 1,
    audience: 1e6,
  },
  {
    name: '10 M, rooms of 100',
    clients: 1e7,
    processes: 500,
    streams: 1,
    events: 10_000,
    audience: 100,
  },
  {
    name: '… in 8 streams',
    clients: 1e7,
    processes: 500,
    streams: 8,
    events: 10_000,
    audience: 100,
  },
  {
    name: '… on fewer, larger processes',
    clients: 1e7,
    processes: 200,
    streams: 4,
    events: 10_000,
    audience: 100,
  },
  {
    name: '10 M, one event in 10 s for all',
    clients: 1e7,
    processes: 500,
    streams: 1,
    events: 0.1,
    audience: 1e7,
  },
].map((plan) => ({ payload: 300, isRegular: plan.events < 100, ...plan }));

const RETRY = { min: 2_000, max: 5_000 }; // the default
const WIDE = { min: 1_000, max: 20_000 };

/** Of 1 million clients on 50 processes at 1,000 events a second. `missed`: events of the stream behind their cursors. */
const STORMS = [
  { name: 'one of 50 processes dies', clients: 20_000, survivors: 49, grace: 0, retry: RETRY },
  {
    name: 'one is deployed: `close({ grace: 10_000 })`',
    clients: 20_000,
    survivors: 49,
    grace: 10_000,
    retry: RETRY,
  },
  {
    name: 'one dies, and only its successor takes them',
    clients: 20_000,
    survivors: 1,
    grace: 0,
    retry: RETRY,
    read: 2_000,
  },
  { name: 'one of two regions dies', clients: 500_000, survivors: 25, grace: 0, retry: RETRY },
  {
    name: '… with `retry: { min: 1_000, max: 20_000 }`',
    clients: 500_000,
    survivors: 25,
    grace: 0,
    retry: WIDE,
  },
];

/** The same numbers each time. */
function generator(seed = 1) {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return (state + 0.5) / 2 ** 32;
  };
}

function costsOf({ constants }) {
  return Object.fromEntries(Object.entries(constants).map(([name, { value }]) => [name, value]));
}

/** What does not need time: sizes, and whether Redis can give the events to all processes at all. */
function sizesOf(plan, cost) {
  const { clients, processes, streams, events, audience, payload } = plan;
  const clientsEach = clients / processes;
  const eventsEach = events / streams;
  const wire = payload + cost.wire_bytes;
  return {
    clientsEach,
    mib: cost.base_mib + (clientsEach * cost.client_bytes) / 2 ** 20,
    fds: clientsEach * cost.client_fds,
    least: (eventsEach * (cost.redis_event_us + processes * cost.redis_entry_us)) / 1e6,
    redis_mbit: (eventsEach * processes * wire * 8) / 1e6,
    clients_gbit: (events * audience * (payload + FRAME) * 8) / 1e9,
  };
}

function simulate(plan, cost) {
  const sizes = sizesOf(plan, cost);
  if (sizes.least > FALLS_BEHIND) return { ...sizes, isBehind: true };
  const { processes, audience, isRegular, streams } = plan;
  const part = { processes, audience, isRegular, events: plan.events / streams };
  const found = new Exchange(part, cost, generator()).run(
    plan.events < 100 ? 100 / plan.events : 4,
  );
  return { ...sizes, ...found, js: found.js * streams, io: found.io * streams };
}

/** The measured points again, simulated. */
function check(cost) {
  const run = (plan, seconds) => new Exchange(plan, cost, generator()).run(seconds);
  const paced = run({ processes: 1, events: 10, audience: 4_000, isRegular: true }, 20);
  const one = run({ processes: 1, events: 600, audience: 1, isRegular: true }, 4);
  const busy = run({ processes: 3, events: 600, audience: 3, isRegular: true }, 4);
  const back = tenths(arrivals({ grace: 4_000, retry: RETRY, sample: 5_000 }, generator()));
  return {
    redis_p50_ms: one.p50_ms,
    redis_busy: busy.redis,
    paced_p99_ms: paced.p99_ms,
    storm_tenth: Math.max(...back.parts),
    storm_last_s: back.last / 1e3,
  };
}

const whole = (value) => Math.round(value).toLocaleString('en-US');
const percent = (value) =>
  value > 10 ? `${Math.round(value)} times as much` : `${Math.round(value * 100)} %`;
const busyOf = (value) => percent(Math.min(1, value)); // what is begun is counted, and may be more than there was time for
const digits = (value) => Number(value.toPrecision(2)).toLocaleString('en-US');

/** Commands as code. */
const quoted = (text) => text.replace(/npm run \w+(?::\w+)?(?: -- \w+)?|node \S+\.js/, '`$&`');

function table(head, rows) {
  const line = (cells) => `| ${cells.join(' | ')} |`;
  return [line(head), `|${'---|'.repeat(head.length)}`, ...rows.map(line)].join('\n');
}

function plansTable(cost) {
  const head = [
    'plan',
    'processes',
    'streams',
    'events/s',
    'Redis, each',
    'JavaScript thread',
    'I/O thread',
    'delay p50, p99',
    'memory, fds of a process',
    'out of each Redis',
    'to clients',
  ];
  return table(
    head,
    PLANS.map((plan) => {
      const found = simulate(plan, cost);
      const busy = found.isBehind
        ? [`**falls behind** (needs ${percent(found.least)})`, '–', '–', '–']
        : [
            busyOf(found.redis),
            busyOf(found.js),
            busyOf(found.io),
            `${digits(found.p50_ms)}, ${digits(found.p99_ms)} ms`,
          ];
      return [
        plan.name,
        plan.processes,
        plan.streams,
        plan.events.toLocaleString('en-US'),
        ...busy,
        `${whole(found.mib)} MiB, ${whole(found.fds)}`,
        `${digits(found.redis_mbit)} Mbit/s`,
        `${digits(found.clients_gbit)} Gbit/s`,
      ];
    }),
  );
}

/** What one stream can carry: for more than this no page is large enough. */
function limitsTable(cost) {
  const head = ['processes on one stream', 'events/s at most', 'of 300 bytes: out of Redis'];
  const rows = [1, 3, 20, 50, 200, 500].map((processes) => {
    const most = (FALLS_BEHIND * 1e6) / (cost.redis_event_us + processes * cost.redis_entry_us);
    const mbit = (most * processes * (300 + cost.wire_bytes) * 8) / 1e6;
    return [`${processes}`, digits(most), `${digits(mbit / 1e3)} Gbit/s`];
  });
  return table(head, rows);
}

function stormsTable(cost) {
  const head = [
    'what happens',
    'come back',
    'to',
    'most in a second',
    'of each JavaScript thread',
    'longest wait',
    'all are back after',
  ];
  return table(
    head,
    STORMS.map(({ read = 0, ...plan }) => {
      const found = storm({ missed: read, ...plan }, cost, generator());
      return [
        plan.name,
        whole(plan.clients),
        `${plan.survivors}`,
        digits(found.peak_s),
        percent(found.js),
        `${digits(found.backlog_ms / 1e3)} s`,
        `${digits(found.last_ms / 1e3)} s`,
      ];
    }),
  );
}

function constantsTable({ constants }) {
  const head = ['name', 'value', 'what', 'printed by'];
  return table(
    head,
    Object.entries(WHAT).map(([name, what]) => [
      `\`${name}\``,
      constants[name].value.toLocaleString('en-US', { maximumSignificantDigits: 3 }),
      what,
      quoted(constants[name].source),
    ]),
  );
}

const WHAT = {
  redis_batch_us: 'Redis, µs for each batch of sends',
  redis_event_us: '… for each event in it',
  redis_page_us: '… for each page that a process reads',
  redis_entry_us: '… for each event in it',
  batch_us: 'a process, µs for each batch that it sends',
  send_us: '… for each event in it',
  page_us: '… for each page that it reads: waking two threads, mostly',
  receive_us: '… for each event in it',
  unheard_us: '… for one that nobody here is meant by',
  delivery_us: 'its I/O thread, µs for each client that gets an event',
  connect_us: 'a process, µs for each client that comes',
  kept_us: '… for each event that it missed, from the history',
  replay_us: '… for each event behind its cursor, read from Redis',
  redis_replay_us: 'Redis, µs for the same',
  way_us: 'to Redis or back, µs on one machine',
  client_bytes: 'memory of a client that is only there',
  client_fds: 'file descriptors of a client: Node keeps its own',
  base_mib: 'memory of a process without clients, MiB',
  stream_bytes: 'memory of an event of 100 bytes in Redis',
  wire_bytes: 'bytes around the data of an event, from Redis to a process',
};

function pointsTable({ points }, cost) {
  const found = check(cost);
  return table(
    ['point', 'measured', 'simulated', 'may differ by'],
    Object.entries(points).map(([name, { value, tolerance, source }]) => [
      quoted(source),
      unit(name, value),
      unit(name, found[name]),
      percent(tolerance),
    ]),
  );
}

function unit(name, value) {
  if (name.endsWith('_ms')) return `${digits(value)} ms`;
  if (name.endsWith('_s')) return `${digits(value)} s`;
  return percent(value);
}

/** Everything that docs/scaling.md shows of this. */
function tables() {
  const measured = JSON.parse(fs.readFileSync(MEASURED, 'utf8'));
  const cost = costsOf(measured);
  return [
    constantsTable(measured),
    plansTable(cost),
    limitsTable(cost),
    stormsTable(cost),
    pointsTable(measured, cost),
  ];
}

/** A table of the page is replaced by the one that begins with the same head. */
function write() {
  let text = fs.readFileSync(PAGE, 'utf8');
  for (const own of tables()) {
    const [head] = own.split('\n');
    const from = text.indexOf(head);
    if (from < 0) throw new Error(`docs/scaling.md has no table ${head}`);
    const to = text.indexOf('\n\n', from);
    text = text.slice(0, from) + own + text.slice(to);
  }
  fs.writeFileSync(PAGE, text);
}

if (require.main === module) {
  if (process.argv.includes('--write')) write();
  else console.log(tables().join('\n\n'));
}

module.exports = { MEASURED, PAGE, check, costsOf, generator, tables };
