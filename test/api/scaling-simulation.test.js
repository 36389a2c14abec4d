'use strict';

// docs/scaling.md: its tables are what the simulation prints, and the simulation comes near what was measured.

const assert = require('node:assert/strict');
const fs = require('node:fs');
const { Exchange } = require('../../bench/scaling/exchange');
const { leastSquares } = require('../../bench/scaling/least-squares');
const {
  MEASURED,
  PAGE,
  check,
  costsOf,
  generator,
  tables,
} = require('../../bench/scaling/simulate');
const { arrivals, storm } = require('../../bench/scaling/storm');

const measured = JSON.parse(fs.readFileSync(MEASURED, 'utf8'));
const cost = costsOf(measured);
const run = (plan) => new Exchange(plan, cost, generator()).run(4);

function isNear(value, expected, part) {
  const isClose = Math.abs(value - expected) <= part * expected;
  assert(isClose, `${value} differs from ${expected} by more than ${part * 100} %`);
}

describe('the simulation of docs/scaling.md', () => {
  it('prints the tables of the page (node bench/scaling/simulate.js --write)', () => {
    const page = fs.readFileSync(PAGE, 'utf8');
    for (const table of tables()) assert(page.includes(`\n\n${table}\n\n`), table);
  });

  const found = check(cost);
  for (const [name, { value, tolerance, source }] of Object.entries(measured.points)) {
    it(`comes near what was measured: ${name}, ${source}`, () =>
      isNear(found[name], value, tolerance));
  }

  it('charges what the arithmetic says where nothing has to wait', () => {
    const { redis, js, io } = run({ processes: 4, events: 100, audience: 4_000, isRegular: true });
    const { redis_batch_us, redis_event_us, redis_page_us, redis_entry_us } = cost;
    isNear(io, (100 * 1_000 * cost.delivery_us) / 1e6, 0.05);
    const event = redis_batch_us + redis_event_us + 4 * (redis_page_us + redis_entry_us);
    isNear(redis, (100 * event) / 1e6, 0.05);
    const sending = (cost.batch_us + cost.send_us) / 4;
    isNear(js, (100 * (sending + cost.page_us + cost.receive_us)) / 1e6, 0.05);
  });

  it('has larger pages and longer delays where Redis has more to do than time', () => {
    const calm = run({ processes: 50, events: 100, audience: 100 });
    const busy = run({ processes: 50, events: 8_000, audience: 100 });
    assert(calm.perPage < 1.2 && busy.perPage > 5, `${calm.perPage}, ${busy.perPage}`);
    assert(busy.p99_ms > 2 * calm.p99_ms, `${busy.p99_ms}, ${calm.p99_ms}`);
  });

  it('lets clients come back when they may, and those wait who are too many', () => {
    const retry = { min: 2_000, max: 5_000 };
    const times = arrivals({ grace: 10_000, retry }, generator());
    assert(times.every((time) => time >= 2_000 && time <= 13_000));
    const plan = { clients: 30_000, grace: 0, retry, missed: 0 };
    const few = storm({ ...plan, survivors: 1 }, { ...cost, connect_us: 1_000 }, generator());
    isNear(few.peak_s, 10_000, 0.05);
    isNear(few.last_ms, 32_000, 0.05);
    const many = storm({ ...plan, survivors: 100 }, { ...cost, connect_us: 1_000 }, generator());
    assert(many.backlog_ms < 10, `${many.backlog_ms}`);
  });

  it('finds the cost of each kind of work, and none where there is none', () => {
    const costs = [100, 3, 0];
    const rows = Array.from({ length: 9 }, (_, i) => {
      const x = [1 + i * 10, 1 + (i % 3) * 1_000, 1 + (i % 4) * 70];
      return { x, y: x.reduce((sum, count, k) => sum + count * costs[k], 0) };
    });
    for (const [i, value] of leastSquares(rows).entries())
      assert(Math.abs(value - costs[i]) < 1e-6);
    const more = rows.map(({ x, y }) => ({ x, y: y - 0.1 * x[2] }));
    assert.equal(leastSquares(more)[2], 0);
  });
});
