'use strict';

// Runs the programs of a page (docs.js): each in a process of its own, a few at a time.

const { spawn } = require('node:child_process');
const { once } = require('node:events');
const fs = require('node:fs');
const path = require('node:path');
const { ROOT } = require('./docs');

const PREAMBLE = './test/js/support/docs-preamble';
const PACKAGES = path.join(ROOT, 'test', 'docs', 'node_modules');
const ENV = { GRACE: '1000', NODE_PATH: PACKAGES }; // GRACE: what pages read with a longer default
const TOOLS = ['assert', 'open', 'once', 'when', 'url'];

/** Static `import` and `export`, which only modules have, as what means the same within a function. */
function withoutStatements(source) {
  return source
    .replace(/^import ([\s\S]*?) from ('[^']*'|"[^"]*");?$/gm, (_, names, from) => {
      const [, own, rest] = /^(\w+)?,? *([\s\S]*)$/.exec(names);
      const all = rest.startsWith('*') ? rest.split(' as ')[1] : null;
      const list = rest.startsWith('{') ? rest.slice(1, -1).replaceAll(' as ', ': ') : '';
      const entries = own ? `{ default: ${own}, ${list} }` : `{ ${list} }`;
      return `const ${all ?? entries} = await import(${from});`;
    })
    .replace(/^import ('[^']*'|"[^"]*");?$/gm, 'await import($1);')
    .replace(/^export (default )?(?=(async )?function|class|const|let)/gm, '');
}

/** The whole program, with what it needs in front of it; `end` is what happens behind it. */
function scriptOf({ source, needs }, end) {
  return `
    const { provide, tools } = require(${JSON.stringify(PREAMBLE)});
    (async ({ ${needs.join(', ')} }) => {
      ${withoutStatements(source)}
      await (async ({ ${TOOLS.join(', ')} }) => {
        ${end}
      })(tools);
      tools.end(${end !== ''});
    })(provide(${JSON.stringify(needs)}));`;
}

function start(program, end, stdio) {
  const hasImport = /\bimport\b/.test(program.source + end);
  const loader = hasImport ? ['--import', './test/js/support/docs-packages.mjs'] : [];
  const child = spawn(process.execPath, [...loader, '-e', scriptOf(program, end)], {
    cwd: ROOT,
    env: { ...process.env, ...ENV },
    stdio,
  });
  for (const name of ['stdout', 'stderr']) {
    child[`${name}Text`] = '';
    child[name].setEncoding('utf8').on('data', (text) => {
      child[`${name}Text`] += text;
    });
  }
  return child;
}

/** Does `printed` match, `…` being anything within a line? */
function isPrinted(printed, expected) {
  const escaped = expected.replace(/[.*+?^${}()|[\]\\]/g, '\\$&').replaceAll('…', '.*');
  return new RegExp(`^${escaped}$`).test(printed);
}

/** @returns {Promise<string|null>} what is wrong with a program, null: nothing */
async function problemOf(program, ms = 10_000) {
  const child = start(program, program.check, ['ignore', 'pipe', 'pipe']);
  let isLate = false;
  const timer = setTimeout(() => {
    isLate = true;
    child.kill('SIGKILL');
  }, ms);
  const [code, signal] = await once(child, 'close');
  clearTimeout(timer);
  const { stdoutText: out, stderrText: err } = child;
  const { output } = program;
  if (isLate) return `it has not ended after ${ms} ms; it printed ${JSON.stringify(out)}`;
  if (code !== 0 || err) return `it ended with ${code ?? signal}: ${err}`;
  if (output !== null && !isPrinted(out.trim(), output)) return `it printed:\n${out}`;
  return null;
}

/**
 * A program as the server that it is, without its check.
 * @returns {Promise<{base: string, close(): Promise<void>}>}
 */
async function serve(program) {
  const child = start(program, 'await tools.serve();', ['ignore', 'pipe', 'pipe', 'ipc']);
  const ended = once(child, 'exit');
  const [base] = await Promise.race([once(child, 'message'), ended]);
  if (typeof base !== 'string') throw new Error(`it does not listen: ${child.stderrText}`);
  return {
    base,
    async close() {
      child.disconnect();
      await ended;
    },
  };
}

/** @returns {(job: () => Promise) => Promise} which runs jobs in order, at most so many at a time */
function pool(atATime) {
  const waiting = [];
  let running = 0;
  const next = () => {
    for (; running < atATime && waiting.length > 0; running++) {
      const { job, resolve, reject } = waiting.shift();
      job()
        .then(resolve, reject)
        .finally(() => {
          running--;
          next();
        });
    }
  };
  return (job) => {
    const result = new Promise((resolve, reject) => {
      waiting.push({ job, resolve, reject });
    });
    next();
    return result;
  };
}

/** The packages of test/docs that a program asks for; null: they are there, as far as it wants any. */
function missingPackages({ source, check }) {
  if (fs.existsSync(PACKAGES)) return null;
  const { devDependencies } = require('../../docs/package.json');
  const names = Object.keys(devDependencies).filter((name) =>
    new RegExp(`(require\\(|import\\(|from |import )['"]${name}['"/]`).test(source + check),
  );
  return names.length > 0 ? names.join(', ') : null;
}

module.exports = { isPrinted, missingPackages, pool, problemOf, serve };
