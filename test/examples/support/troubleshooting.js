'use strict';

// The curl lines of docs/recipes/troubleshooting.md, run as they are there, but for addresses and for how long they wait.

const { spawn } = require('node:child_process');
const fs = require('node:fs');
const path = require('node:path');
const { EventSource } = require('eventsource');
const { createHub } = require('../../..');
const { serve } = require('../../js/support/serve');
const { when } = require('../../js/support/stage');

const OPEN = 28; // curl's exit code for a stream that was open when time was up
const ENDED = 0;
const CUT = 18;

const PAGE = path.join(__dirname, '..', '..', '..', 'docs', 'recipes', 'troubleshooting.md');
const SECTION = /^## (.+)\n([\s\S]*?)(?=^## |(?![\s\S]))/gm;
const BLOCK = /^```sh\n([\s\S]*?)^```$/m;

/** Heading → the lines of its block. */
const LINES = new Map(
  [...fs.readFileSync(PAGE, 'utf8').matchAll(SECTION)].map(([, title, text]) => {
    return [title, BLOCK.exec(text)?.[1]];
  }),
);

/**
 * @param {string} title of the section
 * @param {{port: number, proxy?: number, secure?: number, max?: number, ms?: number, id?: string}} where `port` of the application;
 *   `max`: seconds, in place of --max-time; `ms` after which it is stopped; `id` in place of the one that is asked with
 * @returns {Promise<{code: number|null, out: string, err: string}>} `code` null: it was stopped
 */
function run(title, { port, proxy, secure, max = 0.4, ms = 15_000, id }) {
  const script = LINES.get(title)
    .replaceAll('localhost:3000', `127.0.0.1:${port}`)
    .replaceAll('localhost:8080', `127.0.0.1:${proxy}`)
    .replaceAll('localhost:3443', `127.0.0.1:${secure}`)
    .replaceAll(/--max-time [15]\b/g, `--max-time ${max}`)
    .replaceAll('sleep 1', 'sleep 0.3')
    .replaceAll('abcdefgh-1', id ?? 'abcdefgh-1');
  return new Promise((resolve) => {
    const child = spawn('bash', ['-c', script], {
      detached: true,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const said = { out: '', err: '' };
    child.stdout.setEncoding('utf8').on('data', (text) => {
      said.out += text.replaceAll('\r', '');
    });
    child.stderr.setEncoding('utf8').on('data', (text) => {
      said.err += text;
    });
    const timer = setTimeout(() => process.kill(-child.pid, 'SIGKILL'), ms);
    child.on('close', (code) => {
      clearTimeout(timer);
      resolve({ code, ...said });
    });
  });
}

/** The sections, each with its lines: null where it has none. */
const sections = () => [...LINES].map(([title, lines]) => ({ title, lines: lines ?? null }));

/**
 * What every test of the page needs, in a describe(): hubs, servers and sources that are closed behind each test.
 * @returns {{toClose: (() => any)[], hubOf: Function, listen: Function, source: Function, isClosed: Function}}
 */
function stage() {
  const toClose = [];

  afterEach(async () => {
    for (const close of toClose.splice(0).reverse()) await close();
  });

  function hubOf(options = {}) {
    const hub = createHub({ heartbeat: false, retry: 50, ...options });
    toClose.push(() => hub.close({ grace: 0 }));
    return hub;
  }

  async function listen(listener) {
    const server = await serve(listener);
    toClose.push(() => server.close());
    return server;
  }

  /** An EventSource of a server's /events. */
  function source(port) {
    const own = new EventSource(`http://127.0.0.1:${port}/events`);
    toClose.push(() => own.close());
    return own;
  }

  const isClosed = (own) => when(() => own.readyState === EventSource.CLOSED, 'it gives up');

  return { toClose, hubOf, listen, source, isClosed };
}

module.exports = { CUT, ENDED, OPEN, run, sections, stage };
