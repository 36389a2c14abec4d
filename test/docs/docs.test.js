'use strict';

// Every program in the README and in docs/ runs, and does what the page says. What a page can tell its test: support/docs.js.

const assert = require('node:assert/strict');
const fs = require('node:fs');
const path = require('node:path');
const { PAGES, problemOf, programsOf } = require('../js/support/docs');

const ROOT = path.join(__dirname, '..', '..');

for (const name of PAGES) {
  const programs = programsOf(fs.readFileSync(path.join(ROOT, name), 'utf8'));
  if (programs.length === 0) continue;
  describe(name, () => {
    for (const program of programs) {
      it(`line ${program.line} runs`, async () => assert.equal(await problemOf(program), null));
    }
  });
}

describe('a page’s programs', () => {
  const page = (...parts) => programsOf(parts.join('\n\n'));
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
  };
  for (const [what, parts] of Object.entries(RIGHT)) {
    it(`nothing is wrong with one that ${what}`, async () => {
      for (const program of page(...parts)) assert.equal(await problemOf(program), null);
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

  it('says on which line it begins', () => {
    assert.deepEqual(
      page('# x', js('a()'), js('b()')).map(({ line }) => line),
      [3, 7],
    );
  });
});
