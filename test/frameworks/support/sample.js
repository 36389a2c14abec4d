'use strict';

// The samples of docs/frameworks.md: each is a file beside its test, and a process that the test starts and ends.

const assert = require('node:assert/strict');
const { fork } = require('node:child_process');
const { once } = require('node:events');
const fs = require('node:fs');
const path = require('node:path');

const ROOT = path.join(__dirname, '..', '..', '..');
const PAGE = path.join(ROOT, 'docs', 'frameworks.md');
const PATIENCE = 10_000; // ms, for a start or an end

/** The page shows exactly this file, below a comment that names it. */
function assertShown(file) {
  const name = path.relative(ROOT, path.resolve(file));
  const page = fs.readFileSync(PAGE, 'utf8');
  const after = page.split(`<!-- sample: ${name} -->\n\n`)[1];
  assert(after, `docs/frameworks.md shows no sample ${name}`);
  const [, code] = /^```\w+\n([\s\S]*?)^```$/m.exec(after);
  const source = fs.readFileSync(file, 'utf8');
  assert.equal(code, source.replace(/^'use strict';\n\n/, ''));
}

function within(promise, what) {
  let timer;
  const late = new Promise((_resolve, reject) => {
    timer = setTimeout(reject, PATIENCE, new Error(`it has not ${what} in ${PATIENCE} ms`));
  });
  return Promise.race([promise, late]).finally(() => clearTimeout(timer));
}

/**
 * @param {string} file a program that listens, and ends by itself after SIGTERM
 * @returns {Promise<{url: string, stop(): Promise<string>}>} `stop` answers how it ended
 */
async function start(file) {
  const preload = ['--require', path.join(__dirname, 'listening.js')];
  const child = fork(file, { execArgv: preload, stdio: ['ignore', 'ignore', 'pipe', 'ipc'] });
  let said = '';
  child.stderr.setEncoding('utf8').on('data', (text) => {
    said += text;
  });
  const ended = new Promise((resolve) => {
    child.on('close', (code, signal) => resolve(`${code ?? signal} ${said}`.trim()));
  });
  const listens = once(child, 'message').then(([port]) => port);
  const dies = ended.then((how) => assert.fail(`it ended: ${how}`));
  try {
    const port = await within(Promise.race([listens, dies]), 'begun to listen');
    dies.catch(() => {});
    return {
      url: `http://127.0.0.1:${port}`,
      async stop() {
        child.kill('SIGTERM');
        return within(ended, 'ended').finally(() => child.kill('SIGKILL'));
      },
    };
  } catch (err) {
    child.kill('SIGKILL');
    throw err;
  }
}

module.exports = { assertShown, start };
