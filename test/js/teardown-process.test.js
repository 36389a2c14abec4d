'use strict';

// The end of a process and of a worker, at every stage of a hub's life: the right exit code, no signal, in time; the peers see the
// end; and of a worker nothing is left in its process: no thread, no descriptor.

const assert = require('node:assert/strict');
const { spawn } = require('node:child_process');
const net = require('node:net');
const path = require('node:path');
const { PEERS, STAGES } = require('./teardown/stages');

const LIMIT = 20_000; // ms for one child

/** Way → how the process must end; `reads`: the peers read what comes, so that all of it can. */
const PROCESS_WAYS = {
  'process.exit': { code: 7 },
  throw: { code: 1, stderr: /Error: on purpose/ },
  naturally: { code: 0 },
  'hub.close': { code: 0, reads: true },
  SIGTERM: { code: null, signal: 'SIGTERM' },
};

/** @returns {Promise<object>} `{ code, signal, stdout, stderr }`; `onLine` gets what it prints */
function child(args, onLine = () => {}) {
  const started = spawn(process.execPath, ['--expose-gc', ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const result = { stdout: '', stderr: '', late: false };
  let rest = '';
  started.stdout.setEncoding('utf8').on('data', (text) => {
    result.stdout += text;
    const lines = (rest + text).split('\n');
    rest = lines.pop();
    for (const line of lines) onLine(line);
  });
  started.stderr.setEncoding('utf8').on('data', (text) => {
    result.stderr += text;
  });
  const timer = setTimeout(() => {
    result.late = true;
    started.kill('SIGKILL');
  }, LIMIT);
  return new Promise((resolve, reject) => {
    started.on('error', reject);
    started.on('close', (code, signal) => {
      clearTimeout(timer);
      resolve({ ...result, code, signal });
    });
  });
}

function connect(port, reads) {
  const conn = net.connect(port, '127.0.0.1');
  conn.on('error', () => {});
  conn.write('GET / HTTP/1.1\r\nHost: x\r\n\r\n');
  if (reads) conn.resume();
  return { conn, closed: new Promise((resolve) => conn.on('close', resolve)) };
}

async function endProcess(stage, way) {
  const { code, signal = null, stderr = /^$/, reads } = PROCESS_WAYS[way];
  const peers = [];
  const file = path.join(__dirname, 'teardown', 'process.js');
  const result = await child([file, stage, way], (line) => {
    if (line === 'over') for (const { conn } of peers) conn.destroy();
    else for (let i = 0; i < PEERS; i++) peers.push(connect(Number(line), reads));
  });
  assert.equal(result.late, false, `${way}: hangs`);
  assert.deepEqual([result.code, result.signal], [code, signal], `${way}: ${result.stderr}`);
  assert.match(result.stderr, stderr, way);
  for (const { conn, closed } of peers) {
    conn.resume();
    await closed;
  }
}

describe('the end of a process', function () {
  this.timeout(LIMIT + 5_000);

  for (const stage of Object.keys(STAGES)) {
    it(`${stage}: ${Object.keys(PROCESS_WAYS).join(', ')}`, async () => {
      await Promise.all(Object.keys(PROCESS_WAYS).map((way) => endProcess(stage, way)));
    });
  }
});

describe('the end of a worker', function () {
  this.timeout(LIMIT + 5_000);

  before(function () {
    if (process.platform !== 'linux') this.skip(); // what is left is read from /proc
  });

  for (const stage of Object.keys(STAGES)) {
    it(`${stage}: terminated, exit, throw, naturally: nothing is left`, async () => {
      const result = await child([path.join(__dirname, 'teardown', 'workers.js'), stage]);
      assert.equal(result.late, false, `hangs: ${result.stderr}`);
      assert.deepEqual([result.code, result.signal], [0, null], result.stderr);
    });
  }
});
