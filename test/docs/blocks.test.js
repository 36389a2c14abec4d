'use strict';

// Every block of the pages has a way of being checked: support/docs-blocks.js.

const assert = require('node:assert/strict');
const { PAGES, textOf } = require('../js/support/docs');
const { blockProblems } = require('../js/support/docs-blocks');

describe('every block is checked', () => {
  for (const page of PAGES) {
    it(`in ${page}`, () => assert.deepEqual(blockProblems(page, textOf(page)), []));
  }
});

describe('a block', () => {
  const fenced = (language, code) => `\`\`\`${language}\n${code}\n\`\`\``;
  const problemsOf = (...parts) =>
    blockProblems('docs/page.md', `${parts.join('\n\n')}\n`).join('\n');
  const program = fenced('js', 'f()');

  const RIGHT = {
    'a program': [program],
    'of types': [fenced('ts', 'f()')],
    'shell lines': [fenced('sh', 'ls')],
    JSON: [fenced('json', '{"a": [1]}')],
    YAML: [fenced('yaml', 'a: { b: 1 }\nc: [d]')],
    'what a program prints': [program, 'prose', fenced('text', 'a')],
    'what shell lines print': [fenced('sh', 'ls'), fenced('http', 'A: b')],
    'a drawing': ['<!-- shows: the way -->', fenced('text', '-->')],
    'a part of a file': ['<!-- sample: LICENSE -->', fenced('vue', '  MIT License')],
    indented: ['- a list\n\n  ```json\n  {\n    "a": 1\n  }\n  ```'],
    'tested elsewhere': [
      '<!-- tested by: test/docs/blocks.test.js -->',
      fenced('html', '<p>page.md'),
    ],
  };
  for (const [what, parts] of Object.entries(RIGHT)) {
    it(`may be ${what}`, () => assert.equal(problemsOf(...parts), ''));
  }

  const WRONG = {
    'without a language': [[fenced('', 'a')], /no language/],
    'of a language that nobody checks': [[fenced('cobol', 'a')], /how cobol is checked/],
    'JSON that is none': [[fenced('json', '{a: 1}')], /does not parse/],
    'YAML that is none': [[fenced('yaml', 'a: [')], /does not parse/],
    'output of nothing': [[fenced('text', 'a')], /nothing prints it/],
    'output of a program that has one': [
      [program, fenced('text', 'a'), fenced('text', 'b')],
      /line 9: nothing prints it/,
    ],
    'output behind a block that prints nothing': [
      [program, fenced('json', '1'), fenced('text', 'a')],
      /line 9: nothing prints it/,
    ],
    'an answer to no shell lines': [[program, fenced('http', 'A: b')], /nothing prints it/],
    'part of a file that has other lines': [
      ['<!-- sample: LICENSE -->', fenced('vue', 'GPL')],
      /LICENSE has other lines/,
    ],
    'part of no file': [['<!-- sample: x.js -->', fenced('js', 'a')], /there is no x\.js/],
    'tested by a file that does not name the page': [
      ['<!-- tested by: LICENSE -->', fenced('html', 'a')],
      /does not name page\.md/,
    ],
    'tested by no file': [['<!-- tested by: x.js -->', fenced('html', 'a')], /there is no x\.js/],
    'not closed': [['```js\na', ''], /not closed/],
    'fenced otherwise': [['~~~js\na\n~~~'], /not closed/],
    'begun behind a bullet': [['- ```js\n  a\n  ```'], /not closed/],
    quoted: [['> ```js\n> a\n> ```'], /not closed/],
  };
  for (const [what, [parts, problem]] of Object.entries(WRONG)) {
    it(`may not be ${what}`, () => assert.match(problemsOf(...parts), problem));
  }

  it('has no note that nobody knows', () => {
    assert.match(problemsOf('<!-- neds: hub -->', program), /line 1: no such note/);
    assert.match(problemsOf(program, '<!-- the\nf();\n-->'), /line 5: no such note/);
    assert.match(problemsOf('<!-- shows -->', fenced('text', 'a')), /line 1: no such note/);
  });

  it('stands below each note', () => {
    assert.match(problemsOf(program, '<!-- needs: hub -->'), /“needs” has no block/);
  });

  it('is no note, whatever it contains', () => {
    assert.equal(
      problemsOf('<!-- sample: test/docs/blocks.test.js -->', fenced('html', '<!-- neds: hub -->')),
      '',
    );
  });
});
