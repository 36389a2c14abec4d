'use strict';

// Every `ts` block of the pages compiles: support/docs-types.js.

const assert = require('node:assert/strict');
const { PAGES, ROOT, textOf } = require('../js/support/docs');
const { missingPackages, modulesOf, typeProblems } = require('../js/support/docs-types');

describe('the pages’ TypeScript', () => {
  const modules = PAGES.flatMap((page) => modulesOf(page, textOf(page)));
  const missing = missingPackages(modules).map((folder) => folder.slice(ROOT.length + 1));
  let problems;

  before(function () {
    this.timeout(60_000);
    problems = typeProblems(
      modules.filter(({ from }) => !missing.some((name) => from.endsWith(name))),
    );
  });

  for (const mode of ['node16', 'bundler']) {
    it(`compiles, with moduleResolution ${mode}`, () => assert.deepEqual(problems[mode], []));
  }

  for (const name of missing)
    it(`has the packages of ${name}`, function () {
      this.skip();
    });
});

describe('a ts block', () => {
  const problemsOf = (code, notes = '') =>
    typeProblems(modulesOf('page.md', `# x\n\n${notes}\n\`\`\`ts\n${code}\n\`\`\`\n`));

  const RIGHT = {
    'imports what there is': [
      "import { createHub } from 'fanline';\nimport { EventSource } from 'fanline/client';\nawait createHub().close();\nnew EventSource('/');",
    ],
    'needs what is declared': ["hub.to('a').send(1);", '<!-- needs: hub -->'],
    'has lines that are refused': ['const a: number = "5"; // refused'],
    'is a sample of a file': ['nothing.to(compile);', '<!-- sample: x -->'],
  };
  for (const [what, [code, notes]] of Object.entries(RIGHT)) {
    it(`compiles when it ${what}`, () => {
      assert.deepEqual(problemsOf(code, notes), { node16: [], bundler: [] });
    });
  }

  const WRONG = {
    'uses what it does not declare': ['\nhub.size;', /^page.md, line 6: Cannot find name 'hub'/],
    'is not strict': ['const f = (a) => a;', /line 5: Parameter 'a' implicitly/],
    'has no syntax': ['const', /line 5: /],
    'imports what there is not': [
      "import 'nowhere';\nimport { x } from 'fanline';",
      /line 6: .*'x'/,
    ],
    'has a line that should be refused': ['const a = 5; // refused', /line 5: is taken/],
  };
  for (const [what, [code, problem]] of Object.entries(WRONG)) {
    it(`does not when it ${what}`, () => {
      for (const found of Object.values(problemsOf(code))) {
        assert.match(found.join('\n'), new RegExp(problem, 'm'));
      }
    });
  }

  it('may need only what is known', () => {
    assert.throws(() => problemsOf('1', '<!-- needs: moon -->'), /line 4: nobody declares moon/);
  });
});
