'use strict';

// Runs the curl lines of a page (docs.js) against the server that the page means, in one shell, as a reader would: a stream
// (`-N`) stays open, as in a terminal of its own, while the lines below it are run. Lines without curl are not run.

const { spawn, spawnSync } = require('node:child_process');
const { once } = require('node:events');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const { PROGRAMS, ROOT, programsOf, wordsOf } = require('./docs');
const { isPrinted, serve } = require('./docs-run');
const { PLACEHOLDER, commandsOf, statementsOf } = require('./docs-shell');
const { Example } = require('./example');
const { when } = require('./stage');

// The hosts of a page, where they are what is asked and not the value of a header.
const HOST =
  /(?<!:\s*)(?<![\w./@-])(https?:\/\/)?(localhost|127\.0\.0\.1|([a-z]+\.)+example)(:\d+)?(?=[/'"\s]|$)/g;
const PATIENCE = 10_000; // ms
const hasCurl = spawnSync('curl', ['--version']).status === 0;

const callsCurl = ([name]) => name === 'curl';
const opensStream = (words) =>
  words.some((word) => /^(-[a-zA-Z]*N[a-zA-Z]*|--no-buffer)$/.test(word));

/** The statements of a block that ask, and those that set variables for them. */
function linesOf(code) {
  const lines = statementsOf(code).map((text) => {
    const curls = commandsOf(text).filter(callsCurl);
    return { text, asks: curls.length > 0, isStream: curls.some(opensStream) };
  });
  return lines.filter(({ text, asks }) => asks || /^\w+=\S*$/.test(text));
}

const asks = ({ code }) => linesOf(code).some((line) => line.asks);

/** Shell code that waits for a condition, as many hundredths of a second as it may. */
const patiently = (condition) =>
  `I=0; until ${condition} || [ $I -ge $HUNDREDTHS ]; do sleep 0.01; I=$((I + 1)); done`;

/** Line n leaves the head of its answer in n.head, and what it prints in n.out and n.err. */
function scriptOf(lines, server) {
  const address = (host) => (host.startsWith('https://localhost') && server.secure) || server.base;
  const steps = lines.map(({ text, isStream }, n) => {
    const asked = text.replace(HOST, address).replace(PLACEHOLDER, '$(answered $1)');
    const line = `N=${n}\n{ ${asked}\n} >${n}.out 2>${n}.err`;
    if (!isStream) return line;
    const isAnswered = `grep -qs '^.$' ${n}.head`; // the blank line behind the head
    return `${line} &\n${patiently(isAnswered)}`;
  });
  const flags = `--silent --show-error --max-time ${PATIENCE / 1_000} --dump-header "$N.head"`;
  const lookup = `sed -n 's/.*"'"$1"'": *"\\{0,1\\}\\([^",}]*\\).*/\\1/p' *.out | tail -n 1`;
  return `answered() { ${patiently(`A=$(${lookup}) && [ "$A" ]`)}; echo "$A"; }
curl() { command curl ${flags} "$@"; }\n${steps.join('\n')}\n: >done\nwait\n`;
}

function problemsIn(lines, expected, read) {
  return lines.flatMap(({ text, asks }, n) => {
    if (!asks) return [];
    const statuses = [...read(n, 'head').matchAll(/^HTTP\S+ (\d+)/gm)].map(([, status]) => status);
    const status = statuses.at(-1) ?? read(n, 'err').trim();
    const wanted = expected.length > 1 ? expected.shift() : expected[0];
    const isRight = wanted ? status === wanted : Number(status) < 400;
    return isRight ? [] : [`${text}: answered ${status}: ${read(n, 'out')}`];
  });
}

/**
 * @param {object} block of `sh`
 * @param {{base: string, secure?: string}} server its address, and that for https
 * @param {number} [ms] for what is to be answered, or printed
 * @returns {Promise<string[]>} what is wrong with what it answers
 */
async function askedProblems({ code, notes, output, lines: among }, server, ms = 3_000) {
  const lines = linesOf(code);
  const dir = fs.mkdtempSync(path.join(os.tmpdir(), 'fanline-docs-'));
  const read = (n, what) => {
    const file = path.join(dir, `${n}.${what}`);
    return fs.existsSync(file) ? fs.readFileSync(file, 'utf8').replaceAll('\r', '') : '';
  };
  const printed = () => lines.map((_, n) => read(n, 'out').replace(/[^\n]$/, '$&\n')).join('');
  const isThere = () => {
    const all = printed();
    const missing = among?.split('\n').find((line) => !isAmong(line, all));
    return missing === undefined && (output === null || isPrinted(all.trim(), output));
  };
  const child = spawn('sh', ['-c', `HUNDREDTHS=${ms / 10}\n${scriptOf(lines, server)}`], {
    cwd: dir,
    detached: true,
    stdio: 'ignore',
  });
  const closed = once(child, 'close');
  try {
    await when(() => fs.existsSync(path.join(dir, 'done')), 'every line', PATIENCE * 2);
    const problems = problemsIn(lines, wordsOf(notes.expects), read);
    await when(isThere, 'what the page shows', ms).catch(() => {
      problems.push(`it printed:\n${printed()}`);
    });
    return problems;
  } finally {
    if (child.exitCode === null) process.kill(-child.pid, 'SIGKILL');
    await closed;
    fs.rmSync(dir, { recursive: true });
  }
}

const isAmong = (line, all) => all.split('\n').some((printed) => isPrinted(printed, line));

/** @returns {Promise<{base: string, secure?: string, close(): Promise<void>}>} */
async function serveExample(folder) {
  const example = new Example(path.basename(folder));
  try {
    const [, port] = await example.prints(/(?:localhost:|port )(\d+)/);
    return {
      base: `http://127.0.0.1:${port}`,
      get secure() {
        return /https:\/\/localhost:\d+/.exec(example.out)?.[0]; // said a moment later
      },
      close: () => example.close(),
    };
  } catch (err) {
    await example.close();
    throw err;
  }
}

/**
 * Whom the curl lines of a block ask.
 * @returns {{name: string, missing: string|null, start(): Promise<object>}|null} null: nobody says
 */
function serverOf(page, text, blocks, block) {
  const before = blocks.filter(({ line }) => line <= block.line);
  const told = before.findLast(({ notes }) => 'server' in notes);
  const own = /^(examples\/[^/]+)\/README\.md$/.exec(page)?.[1];
  const folder = told ? told.notes.server : own;
  if (folder) {
    const dir = path.join(ROOT, folder);
    const has = (file) => fs.existsSync(path.join(dir, file));
    const isReady = !has('package.json') || has('node_modules');
    const missing = isReady ? null : `the packages of ${folder}`;
    return { name: folder, missing, start: () => serveExample(folder) };
  }
  if (!told || !PROGRAMS.includes(told.language)) return null;
  const program = programsOf(text).find(({ line }) => line === told.line);
  return { name: `line ${told.line}`, missing: null, start: () => serve(program) };
}

module.exports = { askedProblems, asks, hasCurl, serverOf };
