'use strict';

// The `sh` blocks of the pages (docs.js): they parse, every command is known, and the scripts and files that it names exist.
// What their curl lines do: docs-curl.js.

const { spawnSync } = require('node:child_process');
const fs = require('node:fs');
const path = require('node:path');
const { ROOT } = require('./docs');

/** Commands that are not run and name nothing of ours, with the reason. */
const NOT_RUN = {
  'apt-get': 'changes the machine',
  git: 'needs a network',
  kill: 'ends a process that the reader has started',
  'redis-server': 'stays in the foreground, on a port that may be taken',
};
const HARMLESS = [
  'echo',
  'export',
  'grep',
  'head',
  'jq',
  'printf',
  'sleep',
  'tail',
  'true',
  'wait',
];
const WORD = new RegExp(
  [
    /(\d*[<>]+&?\d*\s*[^\s;&|]*)/, // a redirection
    /'([^']*)'/,
    /"((?:\\.|[^"\\])*)"/,
    /\\(.)/,
    /(\$\([^)]*\))/,
    /((?:(?!\$\()[^\s'"\\;&|<>])+)/,
    /(\s+)/,
    /(&&|\|\||[;&|])/,
  ]
    .map(({ source }) => source)
    .join('|'),
  'g',
);

/** `<id>`: what the reader puts in its place is the `id` of an answer before (docs-curl.js). */
const PLACEHOLDER = /<(\w+)>/g;

function parses(code) {
  const input = code.replace(PLACEHOLDER, '$1');
  const { status, stderr } = spawnSync('sh', ['-n'], { input, encoding: 'utf8' });
  return status === 0 ? null : stderr.trim();
}

/** Without what stands behind `#`, which is for people. */
const withoutComment = (line) => line.replace(/(^|\s)#.*$/, '');

/**
 * A block's statements, each of as many lines as it needs to parse.
 * @returns {string[]}
 * @throws when a rest does not parse
 */
function statementsOf(code) {
  const statements = [];
  let text = '';
  let begun = 0;
  let why = null;
  for (const [index, raw] of code.split('\n').entries()) {
    const line = withoutComment(raw);
    if (text === '') begun = index;
    text += text === '' ? line : `\n${line}`;
    why = text.endsWith('\\') ? 'it ends with a backslash' : parses(text);
    if (why !== null) continue;
    if (text.trim()) statements.push(text.trim());
    text = '';
  }
  if (text.trim()) throw new Error(`line ${begun + 1} of the block does not parse: ${why}`);
  return statements;
}

/** The commands of a statement, each as its words; `VARIABLE=…` in front of one is no word of it. */
function commandsOf(text) {
  const commands = [[]];
  let word = null;
  const end = () => {
    const command = commands.at(-1);
    const isVariable = command.length === 0 && /^\w+=/.test(word ?? '');
    if (word !== null && !isVariable) command.push(word);
    word = null;
  };
  for (const [, , single, double, escaped, nested, plain, , operator] of text
    .replace(PLACEHOLDER, '$1')
    .matchAll(WORD)) {
    const piece = single ?? double ?? escaped ?? nested ?? plain;
    if (nested) commands.unshift(...commandsOf(nested.slice(2, -1)));
    if (piece !== undefined && piece !== '\n') word = (word ?? '') + piece;
    else end();
    if (operator) commands.push([]);
  }
  end();
  return commands.filter((words) => words.length > 0);
}

const packageIn = (dir) => JSON.parse(fs.readFileSync(path.join(dir, 'package.json'), 'utf8'));

let known = null;

/** The suites that `npm test --` takes, as its own answer to a wrong one says. */
function suites() {
  if (known) return known;
  const args = ['scripts/test.js', 'no-such-suite'];
  const { stderr } = spawnSync(process.execPath, args, { cwd: ROOT, encoding: 'utf8' });
  known = stderr.split('there are ')[1].trim().split(', ');
  return known;
}

/** Each: words behind the command and the folder they are said in, to what is wrong or undefined. */
const CHECKS = {
  npm([verb, ...words], dir) {
    if (['install', 'i', 'ci'].includes(verb)) return undefined;
    const name = ['run', 'run-script'].includes(verb) ? words.shift() : verb;
    const { scripts = {} } = packageIn(dir);
    if (!(name in scripts)) return `there is no script ${name}`;
    const asked = words[0] === '--' ? words.slice(1) : [];
    if (dir === ROOT && name === 'example' && asked.length > 0)
      return isThere(`examples/${asked[0]}/server.js`, dir);
    if (dir !== ROOT || name !== 'test' || asked.length === 0) return undefined;
    const unknown = asked.filter((suite) => !suites().includes(suite));
    return unknown.length ? `there is no suite ${unknown.join(', ')}` : undefined;
  },
  npx([name, ...words], dir) {
    if (name !== 'mocha') return `nobody knows npx ${name}`;
    return words
      .filter((word) => word.includes('/') && !word.includes('*'))
      .map((word) => isThere(word, dir))
      .find(Boolean);
  },
  node(words, dir) {
    const file = words.find((word) => !word.startsWith('-'));
    return file ? isThere(file, dir) : undefined;
  },
  make([target], dir) {
    const rules = fs.readFileSync(path.join(dir, 'Makefile'), 'utf8');
    return new RegExp(`^${target}:`, 'm').test(rules) ? undefined : `no target ${target}`;
  },
  sh: ([file], dir) => isThere(file, dir),
  curl: () => undefined, // docs-curl.js
};

function isThere(file, dir) {
  return fs.existsSync(path.join(dir, file)) ? undefined : `there is no ${file}`;
}

/** @returns {string[]} what is wrong with a block, as far as it can be said without running it */
function shellProblems({ code }) {
  const problems = [];
  let dir = ROOT;
  let statements;
  try {
    statements = statementsOf(code);
  } catch (err) {
    return [err.message];
  }
  for (const text of statements) {
    for (const [name, ...words] of commandsOf(text)) {
      let problem;
      if (name === 'cd') {
        problem = isThere(words[0], dir);
        dir = path.join(dir, words[0]);
      } else if (Object.hasOwn(CHECKS, name)) problem = CHECKS[name](words, dir);
      else if (name.includes('/')) problem = isThere(name, dir);
      else if (!HARMLESS.includes(name) && !Object.hasOwn(NOT_RUN, name)) {
        problem = 'it is not known how this is checked';
      }
      if (problem) problems.push(`${text}: ${problem}`);
    }
  }
  return problems;
}

module.exports = { PLACEHOLDER, commandsOf, shellProblems, statementsOf };
