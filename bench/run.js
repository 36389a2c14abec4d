'use strict';

// npm run bench [-- [--rounds N] [--quick] [scenario ...] [driver ...]]
// npm run bench -- distribution: several processes, see distribution/run.js
//
// Every driver in a fresh process, drivers interleaved (A B C A B C ...), medians with minimum and maximum. The load is a C
// program; the server's CPU time is the operating system's. Times depend on the machine: read the ratios.

const { execFileSync, fork, spawn } = require('node:child_process');
const fs = require('node:fs');
const http = require('node:http');
const os = require('node:os');
const path = require('node:path');
const readline = require('node:readline');

const ROOT = path.join(__dirname, '..');
const BUILD = path.join(ROOT, 'build', 'bench');

/**
 * `ping`: an ordinary request to the same server is timed meanwhile (which costs CPU, so it is a scenario of its own).
 * `streams`: each client has a source of its own, and gets what that has.
 */
const SCENARIOS = {
  paced: { clients: 4000, events: 50, hz: 10, size: 100 },
  ping: { clients: 4000, events: 50, hz: 10, size: 100, ping: true },
  flood: { clients: 1000, events: 1000, hz: 0, size: 100, slow: 200 },
  burst: { clients: 1000, events: 1000, hz: 0, size: 100, burst: 100 },
  'js-100': { clients: 100, events: 50, hz: 10, size: 100 },
  'js-1000': { clients: 1000, events: 50, hz: 10, size: 100 },
  'js-9000': { clients: 9000, events: 30, hz: 3, size: 100 },
  tokens: { clients: 1000, events: 250, hz: 50, size: 10, streams: true },
};
const BROADCASTING = ['fanline', 'res-write', 'better-sse', 'bare'];
const STREAMING = ['fanline', 'res-write', 'at-the-end'];
const DRIVERS = [...new Set([...BROADCASTING, ...STREAMING])];
const SECONDS = 120; // for one measurement, at most

function build() {
  fs.mkdirSync(BUILD, { recursive: true });
  for (const name of ['load', 'bare']) {
    const source = path.join(__dirname, `${name}.c`);
    execFileSync('cc', ['-O2', '-Wall', '-Wextra', '-o', path.join(BUILD, name), source], {
      stdio: 'inherit',
    });
  }
}

function reply(child, key) {
  return new Promise((resolve, reject) => {
    const onMessage = (message) => {
      if (!(key in message)) return;
      child.off('message', onMessage);
      child.off('exit', onExit);
      resolve(message);
    };
    const onExit = (code) => reject(new Error(`the server ended (${code})`));
    child.on('message', onMessage);
    child.on('exit', onExit);
  });
}

/** A driver written in JavaScript. */
async function startNode(name) {
  const child = fork(path.join(__dirname, 'server.js'), [name]);
  const { port } = await reply(child, 'port');
  return {
    port,
    async run(settings) {
      child.send({ run: settings });
      return (await reply(child, 'ran')).ran;
    },
    async usage() {
      child.send({ cpu: true });
      return reply(child, 'cpu_s');
    },
    stop: () => child.kill('SIGKILL'),
  };
}

/** The C floor. */
async function startBare() {
  const child = spawn(path.join(BUILD, 'bare'), { stdio: ['pipe', 'pipe', 'inherit'] });
  const lines = readline.createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const port = Number((await lines.next()).value);
  let last;
  return {
    port,
    async run({ events, hz, size }) {
      child.stdin.write(`run ${events} ${hz} ${size}\n`);
      last = JSON.parse((await lines.next()).value);
      return { seconds: last.seconds };
    },
    usage: async () => ({ cpu_s: last.cpu_s }),
    stop: () => child.kill('SIGKILL'),
  };
}

/** Opens the streams; `done` resolves with what arrived. */
async function startLoad(port, { clients, events, streams }) {
  const child = spawn(
    path.join(BUILD, 'load'),
    [port, streams ? '/stream' : '/events', clients, events, SECONDS].map(String),
    {
      stdio: ['ignore', 'pipe', 'inherit'],
    },
  );
  const lines = readline.createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const { value } = await lines.next();
  if (value !== `ready ${clients}`) throw new Error(`not all streams opened: ${value}`);
  return { done: lines.next().then((line) => JSON.parse(line.value)) };
}

function ping(port, agent) {
  return new Promise((resolve, reject) => {
    const start = process.hrtime.bigint();
    http
      .get({ port, host: '127.0.0.1', path: '/ping', agent }, (res) => {
        res.resume();
        res.on('end', () => resolve(Number(process.hrtime.bigint() - start) / 1e6));
      })
      .on('error', reject);
  });
}

/** Every 20 ms one request, on one connection. */
function startPings(port) {
  const agent = new http.Agent({ keepAlive: true, maxSockets: 1 });
  const times = [];
  let running = true;
  const ended = (async () => {
    while (running) {
      times.push(await ping(port, agent));
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    agent.destroy();
  })();
  return async () => {
    running = false;
    await ended;
    times.sort((a, b) => a - b);
    return times[Math.floor(times.length * 0.99)];
  };
}

async function measure(driver, scenario) {
  const server = await (driver === 'bare' ? startBare() : startNode(driver));
  try {
    const load = await startLoad(server.port, scenario);
    const stopPings = scenario.ping && driver !== 'bare' ? startPings(server.port) : null;
    const ran = await server.run(scenario);
    const got = await load.done;
    const ping_p99_ms = await stopPings?.();
    const { cpu_s, js_s } = await server.usage();
    const deliveries = scenario.clients * scenario.events;
    if (got.events !== deliveries || got.disorder > 0) {
      throw new Error(
        `${driver}: ${got.events} of ${deliveries} events arrived, ${got.disorder} out of order`,
      );
    }
    return {
      cpu_us: (cpu_s * 1e6) / deliveries,
      js_us: scenario.streams && js_s ? (js_s * 1e6) / deliveries : undefined,
      deliveries_s: deliveries / got.seconds,
      busy_ms: ran.busy_p50_ms,
      p50_ms: got.p50_ms,
      p99_ms: got.p99_ms,
      ping_p99_ms,
    };
  } finally {
    server.stop();
  }
}

const median = (list) => list.sort((a, b) => a - b)[list.length >> 1];

function summary(results) {
  const out = {};
  for (const key of Object.keys(results[0])) {
    const values = results.map((result) => result[key]).filter((value) => value !== undefined);
    if (values.length > 0) {
      out[key] = { median: median(values), min: Math.min(...values), max: Math.max(...values) };
    }
  }
  return out;
}

const COLUMNS = [
  ['cpu_us', 'CPU per delivery, µs', 2],
  ['js_us', 'of it the JS thread, µs', 2],
  ['deliveries_s', 'deliveries/s', 0],
  ['busy_ms', 'JS thread per broadcast, ms', 3],
  ['p50_ms', 'latency p50, ms', 1],
  ['p99_ms', 'latency p99, ms', 1],
  ['ping_p99_ms', 'GET /ping p99, ms', 1],
];

function printTable(name, scenario, byDriver) {
  const pace = scenario.hz
    ? `${scenario.hz} Hz${scenario.streams ? ', each from a source of its own' : ''}`
    : `${scenario.burst ?? 1} in each turn of the event loop`;
  console.log(
    `\n${name}: ${scenario.clients} clients x ${scenario.events} events of ${scenario.size} B, ${pace}\n`,
  );
  console.log(`| driver | ${COLUMNS.map(([, title]) => title).join(' | ')} |`);
  console.log(`|---|${COLUMNS.map(() => '---|').join('')}`);
  for (const [driver, result] of Object.entries(byDriver)) {
    const cells = COLUMNS.map(([key, , digits]) => {
      const cell = result[key];
      if (cell === undefined) return '–';
      return `${cell.median.toFixed(digits)} (${cell.min.toFixed(digits)}–${cell.max.toFixed(digits)})`;
    });
    console.log(`| ${driver} | ${cells.join(' | ')} |`);
  }
}

/** What streams cost beside those written by hand, with the sources that both have and without. */
function printRatios({ fanline, 'res-write': byHand, 'at-the-end': sources }) {
  if (!fanline || !byHand) return;
  const ratio = (key, less = 0) =>
    ((fanline[key].median - less) / (byHand[key].median - less)).toFixed(2);
  const keys = ['cpu_us', 'js_us'].filter((key) => fanline[key] && byHand[key]);
  const titles = { cpu_us: 'CPU', js_us: 'JS thread' };
  const list = keys.map((key) => `${titles[key]} ${ratio(key)}`).join(', ');
  console.log(`\nfanline : res-write = ${list}`);
  if (!sources) return;
  const net = keys.map((key) => `${titles[key]} ${ratio(key, sources[key].median)}`).join(', ');
  console.log(`the same without what the sources cost (at-the-end): ${net}`);
}

/** A driver that would need minutes gets fewer events; ratios per delivery stay what they are. */
function scaled(scenario, driver) {
  const slow = scenario.slow && driver !== 'fanline' && driver !== 'bare';
  return slow ? { ...scenario, events: scenario.slow } : scenario;
}

async function main(args) {
  if (args[0] === 'distribution') {
    await require('./distribution/run').main(args.slice(1));
    return;
  }
  const at = args.indexOf('--rounds');
  const rounds = at >= 0 ? Number(args.splice(at, 2)[1]) : 5;
  const scenarios = args.filter((name) => name in SCENARIOS);
  const drivers = args.filter((name) => DRIVERS.includes(name));
  const unknown = args.filter((name) => !(name in SCENARIOS) && !DRIVERS.includes(name));
  if (unknown.length > 0 || !(rounds > 0)) {
    console.error(
      `usage: npm run bench [-- --rounds N] [${Object.keys(SCENARIOS).join('|')}] [${DRIVERS.join('|')}]`,
    );
    process.exitCode = 2;
    return;
  }
  build();
  const machine = {
    node: process.version,
    cpus: os.cpus().length,
    cpu: os.cpus()[0].model,
    kernel: os.release(),
  };
  const results = {};
  for (const name of scenarios.length > 0 ? scenarios : Object.keys(SCENARIOS)) {
    const able = SCENARIOS[name].streams ? STREAMING : BROADCASTING;
    const chosen = drivers.length > 0 ? able.filter((driver) => drivers.includes(driver)) : able;
    const rows = Object.fromEntries(chosen.map((driver) => [driver, []]));
    for (let round = 1; round <= rounds; round++) {
      for (const driver of chosen) {
        process.stderr.write(`${name}, round ${round} of ${rounds}: ${driver}          \r`);
        rows[driver].push(await measure(driver, scaled(SCENARIOS[name], driver)));
      }
    }
    const byDriver = Object.fromEntries(chosen.map((driver) => [driver, summary(rows[driver])]));
    results[name] = { scenario: SCENARIOS[name], drivers: byDriver };
    printTable(name, SCENARIOS[name], byDriver);
    if (SCENARIOS[name].streams) printRatios(byDriver);
  }
  const file = path.join(
    __dirname,
    'results',
    `${new Date().toISOString().replace(/[:.]/g, '-')}.json`,
  );
  fs.mkdirSync(path.dirname(file), { recursive: true });
  fs.writeFileSync(file, `${JSON.stringify({ machine, rounds, results }, null, 2)}\n`);
  console.log(`\nWritten to ${path.relative(ROOT, file)}`);
}

main(process.argv.slice(2)).catch((err) => {
  console.error(err);
  process.exitCode = 1;
});
