'use strict';

// The benchmark itself with a handful of clients: real servers, the real load.

const assert = require('node:assert/strict');
const { spawn, spawnSync } = require('node:child_process');
const { once } = require('node:events');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const { setTimeout: sleep } = require('node:timers/promises');

const ROOT = path.join(__dirname, '..', '..');
const SMALL = ['--set', 'clients=8', '--set', 'events=5', '--set', 'hz=50'];

/** The processes that a process has started. */
const childrenOf = (pid) =>
  fs.readFileSync(`/proc/${pid}/task/${pid}/children`, 'latin1').trim().split(' ').map(Number);

const hasCompiler = spawnSync('cc', ['--version']).status === 0;

describe('npm run bench', () => {
  let folder;
  let child;

  beforeEach(function () {
    if (!hasCompiler) this.skip();
    folder = fs.mkdtempSync(path.join(os.tmpdir(), 'fanline-bench-'));
  });
  afterEach(() => {
    child?.kill('SIGKILL');
    if (folder) fs.rmSync(folder, { recursive: true, force: true });
  });

  function start(...args) {
    child = spawn(process.execPath, ['bench/run.js', ...args], { cwd: ROOT, detached: true });
    const said = { out: '', err: '' };
    child.stdout.setEncoding('utf8').on('data', (text) => {
      said.out += text;
    });
    child.stderr.setEncoding('utf8').on('data', (text) => {
      said.err += text;
    });
    const ended = once(child, 'close').then(([code]) => ({ code, ...said }));
    return { said, ended };
  }

  const run = (...args) => start(...args).ended;
  const results = () => {
    const [file] = fs.readdirSync(folder).filter((name) => name.endsWith('.json'));
    return JSON.parse(fs.readFileSync(path.join(folder, file), 'utf8'));
  };
  const page = () => {
    const [file] = fs.readdirSync(folder).filter((name) => name.endsWith('.md'));
    return fs.readFileSync(path.join(folder, file), 'utf8');
  };

  it('measures drivers in rounds and writes numbers, a report and what it ran on', async () => {
    const { code, out, err } = await run(
      'paced',
      'res-write',
      'fanline',
      'bare',
      '--rounds',
      '2',
      '--out',
      folder,
      ...SMALL,
    );
    assert.equal(code, 0, err);
    const order = [...err.matchAll(/^\[\d\/6\] round (\d): paced · paced · ([\w-]+)/gm)];
    const found = results();
    const { drivers, settings } = found.results.paced.variants.paced;
    const names = Object.keys(drivers);
    assert.deepEqual([...names].sort(), ['bare', 'fanline', 'res-write']);
    assert.deepEqual(
      order.map(([, round, name]) => `${round} ${name}`),
      [1, 2].flatMap((round) => names.map((name) => `${round} ${name}`)),
    );
    assert.equal(settings.clients, 8);
    for (const name of names) {
      const { values, rounds } = drivers[name];
      assert.equal(rounds.length, 2, `${name}: ${JSON.stringify(drivers[name])}`);
      assert.ok(values.cpu_us.median > 0.1 && values.cpu_us.median < 10_000, name);
      const row = new RegExp(`^\\| ${name} \\| \\d`, 'm');
      assert.match(out, row);
      assert.match(page(), row);
    }
    assert.ok(drivers.fanline.values.busy_ms.median > 0);
    assert.equal(drivers.bare.values.busy_ms, undefined, 'it has no JavaScript thread');
    assert.equal(found.machine.node, process.version);
    assert.equal(found.history.length, 2);
    assert.match(found.drivers.fanline.versions.fanline, /^\d+\.\d+\.\d+/);
  });

  /** A run that is within its second measurement: a second of events that nobody waits for. */
  async function underWay() {
    const slow = ['--set', 'clients=8', '--set', 'events=30', '--set', 'hz=20'];
    const { said, ended } = start('paced', 'fanline', 'res-write', '--out', folder, ...slow);
    while (!said.err.includes('[2/') && child.exitCode === null) await once(child.stderr, 'data');
    let pids = [];
    let before; // those of the first measurement may not yet be gone
    do {
      before = pids;
      await sleep(50);
      pids = childrenOf(child.pid);
    } while (pids.length < 2 || pids.join() !== before.join()); // server and load
    return { ended, pids };
  }

  it('Ctrl-C ends it: what was measured is written, nothing is left running', async () => {
    const { ended, pids } = await underWay();
    process.kill(-child.pid, 'SIGINT'); // as a terminal does: to the whole group
    const { code, err } = await ended;
    assert.equal(code, 130, err);
    const { results: found, stopped } = results();
    const { fanline, 'res-write': second } = found.paced.variants.paced.drivers;
    assert.equal(stopped, true);
    assert.equal(fanline.rounds.length, 1);
    assert.deepEqual([second.rounds, second.failures], [[], undefined]);
    assert.match(page(), /The run was stopped/);
    for (const pid of pids) assert.throws(() => process.kill(pid, 0), { code: 'ESRCH' });
  });

  it('what it has started ends when it is killed itself', async () => {
    const { pids } = await underWay();
    child.kill('SIGKILL');
    const isThere = (pid) => fs.existsSync(`/proc/${pid}`);
    const end = Date.now() + 5_000;
    while (pids.some(isThere) && Date.now() < end) await sleep(10);
    assert.deepEqual(pids.filter(isThere), []);
  });

  it('what the command line cannot mean ends it with 2 before anything is measured', async () => {
    const { code, out, err } = await run('paced', 'flod');
    assert.equal(code, 2);
    assert.equal(out, '');
    assert.match(err, /^there is no flod\nscenarios: paced /);
    assert.doesNotMatch(err, / at /, 'no stack');
  });

  it('--help tells every scenario with its drivers', async () => {
    const { code, out } = await run('--help');
    assert.equal(code, 0);
    assert.match(out, /^ {2}paced +S1 paced broadcast: fanline /m);
  });

  /** Results of a run in which a delivery cost so much. */
  function written(fanline, byHand) {
    const measured = (cpu_us) => ({
      values: { cpu_us: { median: cpu_us, min: cpu_us, max: cpu_us } },
      rounds: [],
    });
    const drivers = { fanline: measured(fanline), 'res-write': measured(byHand) };
    const file = path.join(folder, 'one.json');
    const found = {
      format: 2,
      started: '2026-01-01T00:00:00.000Z',
      machine: {},
      rounds: 1,
      history: [],
      drivers: {},
    };
    found.results = { paced: { variants: { paced: { settings: {}, drivers } } } };
    fs.writeFileSync(file, JSON.stringify(found));
    return file;
  }

  it('check fails when a figure that must be reached is missed, not when it was not measured', async () => {
    const good = await run('check', written(5, 10));
    assert.equal(good.code, 0, good.out);
    assert.match(good.out, /\n0 missed, \d+ not measured\n$/);
    const bad = await run('check', written(7, 10));
    assert.equal(bad.code, 1);
    assert.match(bad.out, /0\.70 × \| ≤ 0\.62 ✗/);
  });

  it('report writes the page of a results file again', async () => {
    const { code, out, err } = await run('report', written(5, 10));
    assert.equal(code, 0, err);
    assert.match(out, /one\.md/);
    assert.match(page(), /^\| fanline \| 5\.00 \|/m);
  });
});
