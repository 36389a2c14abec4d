'use strict';

// npm run example                    what there is
// npm run example -- <name>          installs what it needs (once), builds its page if it has to be built, and starts it
// PORT=8080 npm run example -- chat

const { spawnSync } = require('node:child_process');
const fs = require('node:fs');
const Module = require('node:module');
const path = require('node:path');

const DIR = __dirname;
const NOT_SOURCES = ['node_modules', 'dist'];

const names = fs
  .readdirSync(DIR)
  .filter((name) => fs.existsSync(path.join(DIR, name, 'server.js')))
  .sort();

/** Markdown as a terminal shows it. */
const plain = (text) => text.replace(/\[([^\]]*)\]\([^)]*\)/g, '$1').replaceAll('`', '');

/** What the table in README.md says of each: name → { shows, recipe, needs }. */
function table() {
  const rows = new Map();
  for (const line of fs.readFileSync(path.join(DIR, 'README.md'), 'utf8').split('\n')) {
    const [, name, shows, recipe, needs] = line.split('|').map((cell) => cell.trim());
    const link = /^\[([\w-]+)\]\(/.exec(name ?? '');
    const [, file = ''] = /\]\(\.\.\/([^)]*)\)/.exec(recipe ?? '') ?? [];
    if (link) rows.set(link[1], { shows: plain(shows), recipe: file, needs: plain(needs) });
  }
  return rows;
}

/** Lines of at most `width` characters, each behind `indent`. */
function wrapped(text, indent, width) {
  const lines = [''];
  for (const word of text.split(' ')) {
    const longer = `${lines.at(-1)} ${word}`.trim();
    if (longer.length <= width - indent.length) lines[lines.length - 1] = longer;
    else lines.push(word);
  }
  return lines.map((line) => indent + line).join('\n');
}

function list() {
  const rows = table();
  const column = Math.max(...names.map((name) => name.length)) + 4;
  const width = Math.min(process.stdout.columns || 100, 110);
  console.log('\nStart one with: npm run example -- <name>\n');
  for (const name of names) {
    const { shows = '', recipe, needs } = rows.get(name) ?? {};
    const lines = wrapped(shows, ' '.repeat(column), width);
    console.log(`  ${name}${lines.slice(name.length + 2)}`);
    const more = [recipe, needs && `needs ${needs}`].filter(Boolean).join(', ');
    if (more) console.log(wrapped(more, ' '.repeat(column), width));
  }
  console.log('');
}

/** How many letters two words differ by. */
function distance(a, b) {
  let row = [...Array(b.length + 1).keys()];
  for (let i = 1; i <= a.length; i += 1) {
    const next = [i];
    for (let j = 1; j <= b.length; j += 1) {
      next[j] = Math.min(next[j - 1] + 1, row[j] + 1, row[j - 1] + (a[i - 1] !== b[j - 1]));
    }
    row = next;
  }
  return row[b.length];
}

function refuse(message) {
  console.error(message);
  process.exit(1);
}

function checkName(name) {
  if (names.includes(name)) return;
  const [nearest] = [...names].sort((a, b) => distance(a, name) - distance(b, name));
  const isNear = distance(nearest, name) <= Math.max(2, name.length / 2);
  const hint = isNear ? `Did you mean "${nearest}"?` : `There are: ${names.join(', ')}`;
  refuse(`There is no example "${name}". ${hint}`);
}

/** Runs npm in an example's folder; what it prints is seen. */
function npm(name, args, what) {
  console.log(`${name}: ${what} (npm ${args.join(' ')})`);
  const cli = process.env.npm_execpath; // the npm that runs this, if one does
  const isScript = cli?.endsWith('.js');
  const command = isScript ? process.execPath : 'npm';
  const { status, error } = spawnSync(command, isScript ? [cli, ...args] : args, {
    cwd: path.join(DIR, name),
    stdio: 'inherit',
    shell: !isScript && process.platform === 'win32',
  });
  if (status === 0) return;
  const why = error ? `: ${error.message}` : '';
  refuse(`${name}: that failed${why}. Put it right in examples/${name}, then start it again.`);
}

/** When the newest file below a folder was changed, what is installed and built left out; 0: no file. */
function lastChange(dir) {
  const times = fs.readdirSync(dir, { withFileTypes: true }).map((entry) => {
    const full = path.join(dir, entry.name);
    if (NOT_SOURCES.includes(entry.name)) return 0;
    return entry.isDirectory() ? lastChange(full) : fs.statSync(full).mtimeMs;
  });
  return Math.max(0, ...times);
}

function prepare(name) {
  const dir = path.join(DIR, name);
  const file = path.join(dir, 'package.json');
  if (!fs.existsSync(file)) return;
  // npm leaves this behind when it is through; a folder alone may be half of an install.
  if (!fs.existsSync(path.join(dir, 'node_modules', '.package-lock.json'))) {
    npm(name, ['ci', '--ignore-scripts', '--no-audit', '--no-fund'], 'installs its packages, once');
  }
  if (!JSON.parse(fs.readFileSync(file, 'utf8')).scripts?.build) return;
  const dist = path.join(dir, 'dist');
  const built = fs.existsSync(dist) ? lastChange(dist) : 0;
  if (built < lastChange(dir)) npm(name, ['run', '--silent', 'build'], 'builds its page');
}

/** What is started: server.js, or what the `start` script of its package.json names. */
function entryOf(name) {
  const file = path.join(DIR, name, 'package.json');
  const { scripts } = fs.existsSync(file) ? JSON.parse(fs.readFileSync(file, 'utf8')) : {};
  return /^node (\S+)$/.exec(scripts?.start)?.[1] ?? 'server.js';
}

/** As if it had been started with `node examples/<name>/server.js`: signals, PORT and the exit code are its own. */
function start(name, args) {
  process.argv = [process.argv[0], path.join(DIR, name, entryOf(name)), ...args];
  Module.runMain();
}

const [name, ...args] = process.argv.slice(2);
if (name === undefined) {
  list();
} else {
  checkName(name);
  prepare(name);
  start(name, args);
}
