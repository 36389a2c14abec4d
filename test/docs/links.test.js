'use strict';

// Every link of the pages leads somewhere, and every recipe is in the index: support/docs-links.js.

const assert = require('node:assert/strict');
const path = require('node:path');
const { PAGES, textOf } = require('../js/support/docs');
const { linkProblems, linksOf } = require('../js/support/docs-links');

const INDEX = 'docs/recipes/README.md';

describe('every link leads somewhere', () => {
  for (const page of PAGES) {
    it(`in ${page}`, () => assert.deepEqual(linkProblems(page, textOf(page)), []));
  }
});

describe('every page is found', () => {
  const reached = new Set(['README.md']);
  for (const page of reached) {
    if (!PAGES.includes(page)) continue;
    for (const link of linksOf(textOf(page))) {
      const file = path.posix.join(path.posix.dirname(page), link.split('#')[0]);
      reached.add(PAGES.includes(`${file}/README.md`) ? `${file}/README.md` : file);
    }
  }
  for (const page of PAGES) {
    it(`${page}, from README.md on`, () => assert(reached.has(page)));
  }
});

describe('the index of recipes', () => {
  const links = PAGES.includes(INDEX) ? linksOf(textOf(INDEX)) : [];
  for (const page of PAGES) {
    if (path.dirname(page) !== path.dirname(INDEX) || page === INDEX) continue;
    it(`has ${path.basename(page)}`, () => assert(links.includes(path.basename(page))));
  }
});

describe('a link', () => {
  const problemsOf = (text) => linkProblems('docs/page.md', text).join('\n');

  const RIGHT = {
    'to a page': '[a](limits.md)',
    'to a heading of a page': '[a](limits.md#a-peer-that-is-gone)',
    'to a heading with code and marks': '[a](#a-b-false--c)\n\n## `a({ b: false })`: c',
    'to a heading of its own page': '[`x`](#what-now)\n\n## What, now?',
    'to the second heading of a name': '[a](#b-1)\n\n## b\n\n## b',
    'to a folder': '[a](../examples/rooms)',
    elsewhere: '[a](https://example.com/x#y)',
    'that is code': '`[a](nowhere.md)`\n\n```js\n[a](nowhere.md)\n```',
  };
  for (const [what, text] of Object.entries(RIGHT)) {
    it(`${what} is right`, () => assert.equal(problemsOf(text), ''));
  }

  const WRONG = {
    'to no page': ['[a](nowhere.md)', /no docs\/nowhere\.md/],
    'to no heading': ['[a](limits.md#x)', /limits\.md has no heading #x/],
    'to no heading of its own page': ['[a](#x)\n\n```sh\n# x\n```', /page\.md has no heading #x/],
    'out of the repository': ['[a](../../x)', /no \.\.\/x/],
    'with code for a text': ['[`a`](nowhere.md)', /nowhere/],
    'in HTML': ['<a class="b" href="nowhere.md">a</a>', /nowhere/],
    'that is no URL': ['[a](https://)', /no URL/],
  };
  for (const [what, [text, problem]] of Object.entries(WRONG)) {
    it(`${what} is found`, () => assert.match(problemsOf(text), problem));
  }
});
