'use strict';

// Every program of the pages runs, and does what its page says. What a page can tell its test: support/docs.js.

const assert = require('node:assert/strict');
const { PAGES, programsOf, textOf } = require('../js/support/docs');
const { missingPackages, pool, problemOf } = require('../js/support/docs-run');

const run = pool(3); // most of them wait for something
const pages = PAGES.map((page) => ({ page, programs: programsOf(textOf(page)) })).filter(
  ({ programs }) => programs.length > 0,
);

/** Begins to run the programs of a page. */
function start(index) {
  const it = pages[index];
  if (it) it.results ??= it.programs.map((program) => run(() => problemOf(program)));
}

for (const [index, { page, programs }] of pages.entries()) {
  describe(page, () => {
    before(() => {
      start(index);
      start(index + 1); // so that something runs while the last ones of this page wait
    });

    for (const [n, program] of programs.entries()) {
      it(`line ${program.line} runs`, async function () {
        if (missingPackages(program)) this.skip();
        const { results } = pages[index];
        const result = results[n];
        results[n] = null; // what is tried once more is run once more
        assert.equal(await (result ?? problemOf(program)), null);
      });
    }
  });
}

describe('a page’s programs', () => {
  const page = (...parts) => programsOf(`${parts.join('\n\n')}\n`);
  const js = (code) => `\`\`\`js\n${code}\n\`\`\``;
  const text = (lines) => `\`\`\`text\n${lines}\n\`\`\``;

  const RIGHT = {
    'prints what the page says': [js('console.log("a 5 (x)")'), text('a … (x)')],
    'has what it needs': ['<!-- needs: hub app -->', js('app.get("/", hub.handler({}))')],
    'continues in the same scope': [
      js('const a = 5'),
      '<!-- continues -->',
      js('if (a !== 5) b()'),
    ],
    'is followed by a check': [js('const a = 5'), '<!-- then\nassert.equal(a, 5);\n-->'],
    'has packages of test/docs': [js('const cors = require("cors");\nimport yaml from "yaml"')],
    'imports as modules do': [
      js(`import assert, { equal as is } from 'node:assert';
import * as fan from 'fanline';
import { open, closeAll } from 'fanline/testing';
import 'fanline/client';
export const a = 5;
export default function b() {}
is(typeof fan.createHub, typeof b);
assert.equal(typeof open, typeof closeAll);`),
    ],
    'may listen, and is over': [js('require("http").createServer().listen(80)')],
    'stands in a list': ['- a\n\n  ```js\n  if (1)\n    console.log("b")\n  ```', text('b')],
    'is a page with a stream': [
      '<!-- needs: app hub EventSource -->',
      js('app.get("/", hub.handler({}));\nconst source = new EventSource("/");'),
      '<!-- then\nawait once(source, "open");\nconsole.log("b");\n-->',
      text('b'),
    ],
  };
  for (const [what, parts] of Object.entries(RIGHT)) {
    it(`nothing is wrong with one that ${what}`, async () => {
      const programs = page(...parts);
      assert.notEqual(programs.length, 0);
      for (const program of programs) assert.equal(await problemOf(program), null);
    });
  }

  const WRONG = {
    throws: [[js('throw new Error("x")')], /ended with 1: .*Error: x/s],
    rejects: [[js('Promise.reject(new Error("x"))')], /ended with 1: .*Error: x/s],
    warns: [[js('console.error("x")')], /ended with 0: x/],
    'needs what it does not name': [[js('hub.broadcast(1)')], /hub is not defined/],
    'prints something else': [[js('console.log("b")'), text('a')], /printed:\nb/],
    'prints more': [[js('console.log("a\\nb")'), text('a')], /printed:\na\nb/],
    'fails its check': [
      [js('const a = 5'), '<!-- then\nassert.equal(a, 6);\n-->'],
      /AssertionError/,
    ],
    'ends before its check does': [
      [js('const a = 5'), '<!-- then\nawait new Promise(() => {});\n-->'],
      /before the program and its check were through/,
    ],
    'imports what nobody has': [[js('import "nowhere";')], /Cannot find package 'nowhere'/],
    'does not end': [[js('setInterval(() => {}, 1000)')], /has not ended/, 1_500],
  };
  for (const [what, [parts, problem, ms]] of Object.entries(WRONG)) {
    it(`one that ${what} is found`, async () => {
      const [program] = page(...parts);
      assert.match(String(await problemOf(program, ms)), problem);
    });
  }

  it('what another block lies between is not its output', () => {
    const [program] = page(js('a()'), '```sh\nb\n```', text('c'));
    assert.equal(program.output, null);
  });

  it('a part of a file is none', () => {
    assert.deepEqual(page('<!-- sample: x.js -->', js('a()')), []);
  });

  it('says on which line it begins', () => {
    assert.deepEqual(
      page('# x', js('a()'), js('b()')).map(({ line }) => line),
      [3, 7],
    );
  });

  it('several are run at a time, and not all of them', async () => {
    let running = 0;
    let most = 0;
    const job = async (item) => {
      most = Math.max(most, ++running);
      await new Promise((resolve) => setImmediate(resolve));
      running--;
      if (item === 4) throw new Error('four');
      return item * 2;
    };
    const few = pool(3);
    const results = [1, 2, 3, 4, 5, 6].map((item) => few(() => job(item)));
    const ends = await Promise.allSettled(results);
    assert.deepEqual(
      ends.map(({ value, reason }) => value ?? reason.message),
      [2, 4, 6, 'four', 10, 12],
    );
    assert.equal(most, 3);
  });
});
