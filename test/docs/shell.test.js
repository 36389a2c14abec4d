'use strict';

// Every `sh` block of the pages parses and names what there is, and its curl lines are answered: support/docs-shell.js,
// docs-curl.js.

const assert = require('node:assert/strict');
const { PAGES, blocksOf, isElsewhere, textOf } = require('../js/support/docs');
const { askedProblems, asks, hasCurl, serverOf } = require('../js/support/docs-curl');
const { shellProblems } = require('../js/support/docs-shell');

for (const page of PAGES) {
  const text = textOf(page);
  const all = blocksOf(text);
  const blocks = all.filter((block) => block.language === 'sh' && !isElsewhere(block));
  if (blocks.length === 0) continue;
  describe(page, () => {
    const servers = new Map();
    after(() => Promise.all([...servers.values()].map((server) => server.close())));

    for (const block of blocks) {
      const problems = shellProblems(block);
      it(`line ${block.line} names what there is`, () => assert.deepEqual(problems, []));
      if (problems.length > 0 || !asks(block)) continue;
      it(`line ${block.line} is answered`, async function () {
        const server = serverOf(page, text, all, block);
        assert(server, 'which server does it ask? <!-- server --> or <!-- server: examples/… -->');
        if (server.missing || !hasCurl) this.skip();
        if (!servers.has(server.name)) servers.set(server.name, await server.start());
        assert.deepEqual(await askedProblems(block, servers.get(server.name)), []);
      });
    }
  });
}

describe('a sh block', () => {
  const blockOf = (...lines) => blocksOf(`\`\`\`sh\n${lines.join('\n')}\n\`\`\`\n`)[0];

  const RIGHT = {
    'names scripts of package.json': 'npm start\nnpm run lint -- --fix # formats',
    'names an example': 'PORT=8080 npm run example -- rooms',
    'names suites': 'npm test -- c docs',
    'names files': 'node --expose-gc bench/run.js && npx mocha --no-config test/docs/docs.test.js',
    'names targets': 'make test',
    'has a place for an id': 'curl localhost:3000/jobs/<id>',
    'names packages': 'npm install --save-dev eventsource-parser',
    'goes on over lines': 'npm run lint \\\n  -- --fix',
    'changes the folder': 'cd test/lint && npm ci\ncd ../docs',
  };
  for (const [what, lines] of Object.entries(RIGHT)) {
    it(`is right when it ${what}`, () => assert.deepEqual(shellProblems(blockOf(lines)), []));
  }

  const WRONG = {
    'does not parse': ['echo "a', /does not parse/],
    'has a placeholder that does not parse': ['kill <process id>', /does not parse/],
    'names no script': ['npm run dance', /no script dance/],
    'names no suite': ['npm test -- c dance', /no suite dance/],
    'names no example': ['npm run example -- dance', /no examples\/dance/],
    'names no file': ['PORT=1 node --test x/y.js', /no x\/y\.js/],
    'names no folder': ['cd nowhere', /no nowhere/],
    'names no target': ['make dance', /no target dance/],
    'names no file on its second line': ['node \\\n  x.js', /no x\.js/],
    'names no file behind another command': ['npm ci && node x.js', /no x\.js/],
    'names a command that nobody knows': ['echo a | dance', /not known/],
    'hides one in another': ['A=$(dance)', /not known/],
  };
  for (const [what, [lines, problem]] of Object.entries(WRONG)) {
    it(`is not when it ${what}`, () => {
      assert.match(shellProblems(blockOf(lines)).join('\n'), problem);
    });
  }
});
