'use strict';

const assert = require('node:assert/strict');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const { canDraw } = require('../../bench/suite/charts');
const { goalsOf, reportOf } = require('../../bench/suite/report');
const { readResults, writeDocs, writeReport, writeResults } = require('../../bench/suite/results');
const { goal } = require('../../bench/suite/scenario');
const { summaries } = require('../../bench/suite/statistics');

const ran = (...list) => ({
  values: summaries(list),
  rounds: list.map((numbers, index) => ({ round: index + 1, numbers })),
});
const SCENARIO = {
  name: 'paced',
  title: 'S1 paced',
  what: 'Everybody gets ten events a second.',
  columns: [
    { key: 'us', title: 'CPU', unit: 'µs', digits: 2 },
    { key: 'ms', title: 'late', unit: 'ms', digits: 1 },
    { key: 'none', title: 'nobody has it', digits: 0 },
  ],
  goals: [
    goal('CPU: res.write', (of) => of('fanline', 'us') / of('res-write', 'us'), {
      must: '<= 0.5',
      aim: '<= 0.3',
    }),
    goal('CPU: nchan', (of) => of('fanline', 'us') / of('nchan', 'us'), { must: '<= 0.5' }),
    goal('late', (of) => of('fanline', 'ms'), { must: '<= 1', aim: '<= 0.5', unit: 'ms' }),
  ],
};
const FOUND = {
  started: '2026-01-02T03:04:05.678Z',
  commit: 'abc1234',
  machine: { cpu: 'Some CPU', cores: 2, memory_gib: 8, system: 'Linux 6', node: 'v20.0.0' },
  rounds: 3,
  history: [
    { others: 1, steal: 0, load_before: 0.5, load_after: 1.5 },
    { others: 12.3, steal: 0, load_before: 1.5, load_after: 3.5 },
  ],
  drivers: {
    fanline: { what: 'a hub', versions: { fanline: '1.2.3' } },
    'res-write': { what: 'by hand', versions: {} },
    nchan: { what: 'in nginx', why: 'nginx is missing' },
  },
  results: {
    paced: {
      variants: {
        one: {
          settings: { clients: 4000, hz: 10 },
          drivers: {
            fanline: ran({ us: 4, ms: 2 }, { us: 5, ms: 2 }, { us: 6, ms: 2 }),
            'res-write': ran({ us: 12.345 }, { us: 12.345 }, { us: 12.345 }),
            hono: { ...ran({ us: 20 }), failures: [{ round: 2, reason: 'a|b lost' }] },
            nchan: { ...ran(), why: 'nginx is missing' },
          },
        },
      },
    },
  },
};
const textOf = (found = FOUND) => reportOf(found, [SCENARIO], 'charts').text;

describe('bench: the report', () => {
  it('a row has median, minimum and maximum with the digits of its column; what is missing is –', () => {
    assert.match(textOf(), /^\| fanline \| 5\.00 \(4\.00–6\.00\) \| 2\.0 \|$/m);
    assert.match(textOf(), /^\| res-write \| 12\.35 \| – \|$/m);
  });

  it('a column that nobody has is left out', () => {
    assert.doesNotMatch(textOf(), /nobody has it/);
  });

  it('a driver that failed or could not run has its row and its reason', () => {
    assert.match(textOf(), /^\| hono \* \| 20\.00 \| – \|$/m);
    assert.match(textOf(), /^\| nchan \* \| – \| – \|$/m);
    assert.match(textOf(), /^\\\* nchan did not run: nginx is missing$/m);
    assert.match(textOf(), /^\\\* hono failed in round 2: a\\\|b lost$/m);
  });

  it('each figure has its limits and whether they are met', () => {
    assert.match(
      textOf(),
      /^\| S1 paced: CPU: res\.write \| 0\.41 \(0\.32–0\.49\) × \| ≤ 0\.5 ✓ \| ≤ 0\.3 ✗ \|$/m,
    );
    assert.match(textOf(), /^\| S1 paced: CPU: nchan \| not measured \| ≤ 0\.5 \| – \|$/m);
    assert.match(textOf(), /^\| S1 paced: late \| 2\.00 ms \| ≤ 1 ✗ \| ≤ 0\.5 ✗ \|$/m);
  });

  it('missed and unmeasured figures are counted', () => {
    const { missed, unknown } = goalsOf([SCENARIO], FOUND.results);
    assert.deepEqual([missed, unknown], [1, 1]);
  });

  it('machine, versions, settings, and what else was at work are told', () => {
    for (const text of [
      /Some CPU, 2 cores, 8 GiB; Linux 6; Node v20\.0\.0; commit abc1234/,
      /clients 4,000, hz 10/,
      /\| fanline \| a hub \| fanline 1\.2\.3 \|/,
      /0\.5 → 1\.5, 1\.5 → 3\.5/,
      /Warning\*\*: round 2: other processes had 12\.3 % of the machine/,
    ])
      assert.match(textOf(), text);
    assert.doesNotMatch(textOf(), /round 1: other/);
  });

  it('a run that was stopped says so', () => {
    assert.doesNotMatch(textOf(), /stopped/);
    assert.match(textOf({ ...FOUND, stopped: true }), /The run was stopped/);
  });

  it('a scenario that was not measured is left out', () => {
    const other = { ...SCENARIO, name: 'flood', title: 'S2' };
    const { text } = reportOf(FOUND, [SCENARIO, other], 'charts');
    assert.doesNotMatch(text, /S2/);
  });
});

describe('bench: files of results', () => {
  let folder;
  beforeEach(() => {
    folder = fs.mkdtempSync(path.join(os.tmpdir(), 'fanline-bench-'));
  });
  afterEach(() => fs.rmSync(folder, { recursive: true, force: true }));

  it('what is written can be read again and gives the same report', () => {
    const file = writeResults(FOUND, folder);
    assert.equal(path.basename(file), '2026-01-02T03-04-05-678Z.json');
    assert.equal(textOf(readResults([file])), textOf());
  });

  it('the pairs of a series are written on one line, and numbers with six digits', () => {
    const found = structuredClone(FOUND);
    found.results.paced.variants.one.drivers.fanline.rounds[0].series = {
      rss: [
        [0.5, 12.3456789],
        [1, -2e-7],
      ],
    };
    const file = writeResults(found, folder);
    assert.match(fs.readFileSync(file, 'utf8'), /^ +\[0\.5, 12\.3457\],\n +\[1, -2e-7\]$/m);
    assert.deepEqual(
      readResults([file]).results.paced.variants.one.drivers.fanline.rounds[0].series.rss,
      [
        [0.5, 12.3457],
        [1, -2e-7],
      ],
    );
  });

  it('a file of something else is refused with its name', () => {
    const file = path.join(folder, 'x.json');
    fs.writeFileSync(file, '{}');
    assert.throws(() => readResults([file]), /x\.json is not what/);
    assert.throws(() => readResults([path.join(folder, 'none.json')]), /none\.json/);
    assert.throws(() => readResults([]), /which results file/);
  });

  it('a chart says under its title what was measured, and how often', function () {
    if (!canDraw()) this.skip();
    const { charts } = reportOf(FOUND, [SCENARIO], 'charts');
    assert.match(
      charts['paced.svg'],
      />clients 4,000, hz 10; median of 3 rounds, minimum to maximum</,
    );
    const once = structuredClone(FOUND);
    once.results.paced.variants.one.drivers = { fanline: ran({ us: 4 }) };
    assert.match(
      reportOf(once, [SCENARIO], 'charts').charts['paced.svg'],
      />clients 4,000, hz 10; one round</,
    );
  });

  it('every chart that a report names is there, beside it or in the documentation', function () {
    if (!canDraw()) this.skip();
    const file = writeResults(FOUND, folder);
    for (const [page] of [
      writeReport(file, FOUND, [SCENARIO]),
      writeDocs(FOUND, [SCENARIO], path.join(folder, 'docs')),
    ]) {
      const named = [...fs.readFileSync(page, 'utf8').matchAll(/!\[[^\]]*\]\(([^)]+)\)/g)];
      assert.equal(named.length, 1);
      for (const [, chart] of named)
        assert.match(fs.readFileSync(path.join(path.dirname(page), chart), 'utf8'), /^<svg /);
    }
  });
});
