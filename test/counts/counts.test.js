'use strict';

// What sends, deliveries and clients cost in things that can be counted, and so are the same on an idle machine and on a busy one.
// table.json has the ceilings; docs/testing.md tells how it is read and changed.

const assert = require('node:assert/strict');
const path = require('node:path');
const { ROOT, compiler, imports } = require('./support/addon');
const { isKnown } = require('./support/groups');
const { leeway, measureAll, missing } = require('./support/measure');
const table = require('./table.json');

const UPDATE =
  'If that is meant: npm run --silent counts -- --update prints the table with the new values, to be taken over into ' +
  'test/counts/table.json; the commit says why.';
const SLIGHT = 0.02; // what falls by less is not worth a word
const NOISE = 0.05;

const lacking = missing();

/** What is lower now than in the table: the guard had better follow. */
function tellFallen(found) {
  for (const [scenario, { why, ...rows }] of Object.entries(table.scenarios)) {
    for (const [count, [measured]] of Object.entries(rows)) {
      const now = found[scenario]?.[count] ?? 0;
      if (leeway(count, table.compiler) > 1 || now >= measured * (1 - SLIGHT) - NOISE) continue;
      console.log(`  lower than in the table: ${scenario}, ${count}: ${measured} -> ${now}`);
    }
  }
}

if (lacking.length > 0) {
  describe('counts', () => {
    it(`are compared (missing: ${lacking.join(', ')})`, function () {
      this.skip();
    });
  });
} else {
  describe('counts', () => {
    let found;

    before(async function () {
      this.timeout(150_000);
      found = await measureAll();
    });
    after(() => found && tellFallen(found));

    it('speak of every function that the addon imports', () => {
      const names = imports(path.join(ROOT, 'build', 'Release', 'fanline.node'));
      assert(names.includes('malloc'), 'the list of imports is not what it was');
      const unknown = names.filter((name) => !isKnown(name));
      assert.deepEqual(unknown, [], 'test/counts/support/groups.js does not say what a call costs');
    });

    it('are those of the table, each with its reason', () => {
      assert.deepEqual(Object.keys(table.scenarios).sort(), Object.keys(found).sort(), UPDATE);
      for (const [scenario, { why }] of Object.entries(table.scenarios)) {
        assert(why.length > 10, `table.json does not say why of "${scenario}"`);
      }
    });

    for (const [scenario, { why, ...rows }] of Object.entries(table.scenarios)) {
      describe(scenario, () => {
        for (const [count, [measured, most]] of Object.entries(rows)) {
          it(`${count}: at most ${most}`, () => {
            const now = found[scenario]?.[count] ?? 0;
            const factor = leeway(count, table.compiler);
            const other =
              factor === 1 ? '' : ` × ${factor}, for ${compiler()} instead of ${table.compiler}`;
            const told = `rose from ${measured} to ${now} (at most ${most}${other}). ${why} ${UPDATE}`;
            assert(now <= most * factor, `${scenario}: ${count} ${told}`);
          });
        }

        it('nothing else', () => {
          const more = Object.entries(found[scenario] ?? {}).filter(([count]) => !(count in rows));
          assert.deepEqual(more, [], `${scenario} costs what it did not cost before. ${UPDATE}`);
        });
      });
    }
  });
}
