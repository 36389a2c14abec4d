'use strict';

// npm test: builds the addon, runs every suite, adds up what they count and ends with the line
// "N passed, N failed". `npm test -- c io` runs only the suites named.
//
// A suite that lacks a tool is "not run": it says what is missing and which command installs it.
// With CI=true what was not run has failed.

const { AsyncLocalStorage } = require('node:async_hooks');
const { spawn } = require('node:child_process');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');

const ROOT = path.join(__dirname, '..');
const CI = process.env.CI === 'true';
const SETUP = 'npm run test:setup';
const MINUTE = 60_000;
const SUMMARY = /^(?:(\S+): )?(\d+) passed, (\d+) failed$/;

// ---------------------------------------------------------------- children

const running = new Set();
const held = new AsyncLocalStorage(); // what a suite says that runs beside others, until it is through
function killAll() {
  for (const pid of running) {
    try {
      process.kill(-pid, 'SIGKILL');
    } catch {
      // Already gone.
    }
  }
}
process.on('exit', killAll);
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => process.exit(1));

/**
 * Runs a command in a process group of its own, so that nothing it leaves behind outlives the suite.
 * Its output is shown as it comes and handed to `onLine`. Resolves with the exit code, or with a
 * sentence when it had to be ended.
 */
function run(
  command,
  args,
  { env, cwd = ROOT, onLine = () => {}, timeout = 5 * MINUTE, quiet, watch } = {},
) {
  return new Promise((resolve) => {
    const child = spawn(command, args, {
      cwd,
      detached: true,
      env: { ...process.env, ...(process.stdout.isTTY && { FORCE_COLOR: '1' }), ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    if (child.pid) running.add(child.pid);
    let verdict = null;
    const end = (why) => {
      verdict = why;
      try {
        process.kill(-child.pid, 'SIGKILL');
      } catch {
        // Already gone.
      }
    };
    const timer = setTimeout(end, timeout, `ended after ${timeout / MINUTE} minutes`);
    watch?.(end);
    for (const stream of [child.stdout, child.stderr]) {
      let rest = '';
      stream.setEncoding('utf8').on('data', (chunk) => {
        if (held.getStore()) held.getStore().push(chunk);
        else if (!quiet) process.stdout.write(chunk);
        const lines = (rest + chunk).split('\n');
        rest = lines.pop();
        for (const line of lines) onLine(stripColours(line).trimEnd());
      });
      stream.on('end', () => rest && onLine(stripColours(rest).trimEnd()));
    }
    const settle = (value) => {
      clearTimeout(timer);
      resolve(value);
    };
    child.on('error', (err) =>
      settle(`${command}: ${err.code === 'ENOENT' ? 'not found' : err.message}`),
    );
    child.on('exit', () => {
      // A grandchild may hold the pipes open: it is given a moment, then ended.
      setTimeout(() => child.stdout.destroyed || end(verdict), 2_000).unref();
    });
    child.on('close', (code, signal) => {
      running.delete(child.pid);
      settle(verdict ?? code ?? `ended by ${signal}`);
    });
  });
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: that is what an escape sequence begins with
const ANSI_COLOURS = /\x1b\[[0-9;]*m/g;
const stripColours = (text) => text.replace(ANSI_COLOURS, '');

function has(tool) {
  if (tool.includes(path.sep)) return fs.existsSync(tool);
  return (process.env.PATH ?? '')
    .split(path.delimiter)
    .some((dir) => fs.existsSync(path.join(dir, tool)));
}

function filesUnder(dir, wanted) {
  const full = path.join(ROOT, dir);
  if (!fs.existsSync(full)) return [];
  return fs
    .readdirSync(full, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && wanted.test(entry.name))
    .map((entry) => path.join(entry.parentPath ?? entry.path, entry.name));
}

// ---------------------------------------------------------------- what a suite answers

class Counts {
  passed = 0;
  failed = 0;
  notRun = [];
  reasons = [];

  /** For onLine: adds up "name: N passed, N failed". */
  read = (line) => {
    const match = SUMMARY.exec(line);
    if (match) this.add(Number(match[2]), Number(match[3]), match[1] ?? 'a test');
    const skipped = /: not run: (.*)$/.exec(line);
    if (skipped) this.skip(skipped[1]);
  };

  add(passed, failed, name) {
    this.passed += passed;
    this.failed += failed;
    if (failed) this.reasons.push(`${name}: ${failed} failed`);
  }

  fail(reason) {
    this.add(0, 1, reason);
  }

  skip(reason) {
    this.notRun.push(reason);
  }

  /** The exit code must agree with what was counted; a suite that counted nothing has not passed. */
  settle(result) {
    if (result !== 0 && this.failed === 0 && !(CI && this.notRun.length)) {
      this.fail(typeof result === 'string' ? result : `exit code ${result}`);
    } else if (typeof result === 'string') {
      this.fail(result);
    }
    if (this.passed + this.failed + this.notRun.length === 0) this.fail('no test ran');
    return this;
  }
}

// ---------------------------------------------------------------- the suites

async function build() {
  const counts = new Counts();
  const result = await run(process.execPath, ['scripts/install.js', '--from-source']);
  if (result !== 0) counts.fail('the addon does not build');
  return counts;
}

const make = (target) => async () => {
  const counts = new Counts();
  const jobs = `-j${Math.min(4, os.availableParallelism())}`;
  return counts.settle(
    await run('make', [jobs, target], { onLine: counts.read, timeout: 4 * MINUTE }),
  );
};

/**
 * Runs a command that starts mocha with a reporter which leaves its counts in $FANLINE_REPORT. Nothing may
 * keep that process alive once the last test has ended: there is no --exit, and a watch on it.
 */
async function runMocha(counts, command, args, options) {
  const dir = fs.mkdtempSync(path.join(os.tmpdir(), 'fanline-test-'));
  const file = path.join(dir, 'report.json');
  let poll;
  const watch = (end) => {
    let since = 0;
    poll = setInterval(() => {
      if (!fs.existsSync(file)) return;
      since ||= Date.now();
      if (Date.now() - since < 10_000) return;
      end('all tests ended, but something keeps the process alive');
    }, 500);
  };
  const env = { FANLINE_REPORT: file };
  const result = await run(command, args, { timeout: 5 * MINUTE, env, watch, ...options });
  clearInterval(poll);
  if (fs.existsSync(file)) {
    const { passed, failed, skipped } = JSON.parse(fs.readFileSync(file, 'utf8'));
    counts.add(passed, failed, 'mocha');
    const titles = Array.isArray(skipped) ? skipped : Array(skipped).fill('a skipped test');
    for (const title of titles) counts.skip(title);
  }
  fs.rmSync(dir, { recursive: true, force: true });
  return counts.settle(result);
}

/** A suite of mocha's, with the options in a file of their own. */
const mochaSuite =
  (config, { only, ...options } = {}) =>
  async () => {
    const counts = new Counts();
    const mocha = path.join(ROOT, 'node_modules', 'mocha', 'bin', '_mocha');
    if (!has(mocha)) {
      counts.fail('mocha is missing: npm install');
      return counts;
    }
    const args = ['--expose-gc', mocha, '--config', config];
    args.push('--reporter', 'scripts/mocha-reporter.js');
    if (only !== undefined) args.push('--fgrep', only);
    if (CI) args.push('--forbid-only');
    return runMocha(counts, process.execPath, args, options);
  };

async function types() {
  const counts = new Counts();
  const project = 'test/types/tsconfig.json';
  const tsc = path.join(ROOT, 'node_modules', 'typescript', 'bin', 'tsc');
  if (!has(path.join(ROOT, project)) || !has(tsc)) {
    counts.fail(has(tsc) ? `${project} is missing` : 'typescript is missing: npm install');
    return counts;
  }
  const ours = new Set(filesUnder('test/types', /\.[cm]?tsx?$/).map((file) => path.resolve(file)));
  const checked = new Set();
  const broken = new Set();
  const onLine = (line) => {
    if (ours.has(path.resolve(line))) return checked.add(path.resolve(line));
    const match = /^(.+?)\(\d+,\d+\): error /.exec(line);
    if (match) broken.add(path.resolve(ROOT, match[1]));
    if (match || /error TS/.test(line)) console.log(line);
  };
  const result = await run(
    process.execPath,
    [tsc, '-p', project, '--listFiles', '--pretty', 'false'],
    {
      onLine,
      quiet: true,
    },
  );
  for (const file of checked) counts.add(broken.has(file) ? 0 : 1, 0);
  for (const file of broken) counts.fail(path.relative(ROOT, file));
  for (const file of ours)
    if (!checked.has(file)) counts.fail(`${path.relative(ROOT, file)} is not checked`);
  return counts.settle(result);
}

/** A suite in a package of its own, with an `npm test` that runs mocha and reports as runMocha() wants it. */
const external = (dir, tools) => async () => {
  const counts = new Counts();
  if (!has(path.join(ROOT, dir, 'package.json'))) {
    counts.fail(`${dir}/package.json is missing`);
    return counts;
  }
  const missing = tools.filter((names) => !names.some(has)).map((names) => names[0]);
  if (!has(path.join(ROOT, dir, 'node_modules'))) missing.push(`the packages of ${dir}`);
  if (missing.length) {
    counts.skip(`missing: ${missing.join(', ')}`);
    return counts;
  }
  return runMocha(counts, 'npm', ['test', '--silent'], { cwd: path.join(ROOT, dir) });
};

/** Each folder of test/frameworks that is a package is a suite of that name. */
const frameworks = fs
  .readdirSync(path.join(ROOT, 'test', 'frameworks'))
  .filter((name) => has(path.join(ROOT, 'test', 'frameworks', name, 'package.json')));

const CHROMIUM = ['chromium', 'chromium-browser', 'google-chrome'];
const SUITES = {
  c: make('test'),
  fuzz: make('fuzz'), // behind the suite that compiles the same code
  types,
  api: mochaSuite('test/api/.mocharc.json'),
  docs: mochaSuite('test/docs/.mocharc.json'),
  client: mochaSuite('test/client/.mocharc.json'),
  counts: mochaSuite('test/counts/.mocharc.json'),
  clients: external('test/clients', [['curl']]),
  compat: external('test/compat', []),
  browser: external('test/browser', [CHROMIUM, ['curl']]),
  ...Object.fromEntries(frameworks.map((name) => [name, external(`test/frameworks/${name}`, [])])),
  runtimes: external('test/runtimes', []),
  adapters: mochaSuite('test/adapters/.mocharc.json'),
  cluster: mochaSuite('test/cluster/.mocharc.json'),
  redis: external('test/redis', [['redis-server']]),
  io: make('test-io'),
  js: mochaSuite('test/js/.mocharc.json'),
  net: mochaSuite('test/net/.mocharc.json'),
  bench: mochaSuite('test/bench/.mocharc.json'),
};
// Lanes beside the main one, each a suite after the other: most tests wait for a clock or a peer, not for a processor.
const BESIDE = [
  ['fuzz', 'adapters', 'cluster', 'redis'],
  ['soak-fd'], // these two wait for a clock, a process each
  ['soak-relay'],
  ['api'],
  ['counts'], // what it counts is the same whatever else goes on
  ['types', 'docs', 'client', 'clients', 'compat', 'bench'],
  ['browser', ...frameworks, 'runtimes'],
];
const PLAIN = ['c', 'fuzz', 'io', 'types']; // these need no addon
// Only when asked for: heavy ones (npm run test:load), the examples (npm run test:examples), and what takes minutes (npm run soak).
const HEAVY = {
  examples: external('test/examples', [CHROMIUM]),
  load: mochaSuite('test/load/.mocharc.json'),
  soak: mochaSuite('test/soak/.mocharc.json', { timeout: 9 * MINUTE }),
  'soak-fd': mochaSuite('test/soak/.mocharc.pipe.json', {
    timeout: 9 * MINUTE,
    only: 'transport auto',
  }),
  'soak-relay': mochaSuite('test/soak/.mocharc.pipe.json', {
    timeout: 9 * MINUTE,
    only: 'transport relay',
  }),
};

// ---------------------------------------------------------------- all of them

function report(results) {
  console.log('');
  let passed = 0;
  let failed = 0;
  let missing = 0;
  for (const [name, { counts, seconds }] of results) {
    const skipped = counts.notRun.length;
    const extra = skipped ? `, ${skipped} not run` : '';
    console.log(
      `${name.padEnd(8)} ${counts.passed} passed, ${counts.failed} failed${extra} (${seconds.toFixed(1)} s)`,
    );
    for (const reason of counts.reasons) console.log(`         ${reason}`);
    for (const reason of counts.notRun) console.log(`         not run: ${reason}`);
    passed += counts.passed;
    failed += counts.failed + (CI ? skipped : 0);
    missing += skipped;
  }
  if (missing)
    console.log(`${missing} not run${CI ? ', which fails in CI' : ''}; what is missing: ${SETUP}`);
  console.log(`${passed} passed, ${failed} failed`);
  return failed;
}

async function timed([name, suite]) {
  const started = Date.now();
  const counts = await suite();
  return [name, { counts, seconds: (Date.now() - started) / 1000 }];
}

/** Suites one after the other, each silent until it is through. */
async function lane(steps) {
  const results = [];
  for (const step of steps) {
    const said = [];
    results.push(await held.run(said, timed, step));
    console.log(`\n== ${step[0]} (beside the others)\n${said.join('')}`);
  }
  return results;
}

async function main(names) {
  const suites = { ...SUITES, ...HEAVY };
  const unknown = names.filter((name) => !(name in suites));
  if (unknown.length) {
    console.error(`no suite ${unknown.join(', ')}; there are ${Object.keys(suites).join(', ')}`);
    process.exit(2);
  }
  const chosen = names.length ? names : Object.keys(SUITES);
  const isBeside = (name) => chosen.length > 1 && BESIDE.flat().includes(name);
  const results = [];
  const lanes = [];
  const step = async (name, suite) => {
    console.log(`\n== ${name}`);
    results.push(await timed([name, suite]));
  };
  if (!chosen.every((name) => PLAIN.includes(name))) await step('build', build);
  if (chosen.includes('c')) await step('c', SUITES.c);
  for (const list of BESIDE) {
    lanes.push(
      lane(
        list
          .filter((name) => chosen.includes(name) && isBeside(name))
          .map((name) => [name, suites[name]]),
      ),
    );
  }
  for (const name of chosen) {
    if (name !== 'c' && !isBeside(name)) await step(name, suites[name]);
  }
  for (const more of await Promise.all(lanes)) results.push(...more);
  const code = report(results) ? 1 : 0;
  process.stdout.write('', () => process.exit(code)); // a pipe may not have taken all of it yet
}

main(process.argv.slice(2));
