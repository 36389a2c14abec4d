'use strict';

// Runs a storm: builds its clients (C, epoll), starts its server, lets the first half pass so that the server's memory has the size
// that it needs, then the rest, and looks at what is left.

const assert = require('node:assert/strict');
const { execFileSync, fork, spawn } = require('node:child_process');
const fs = require('node:fs');
const path = require('node:path');

const BUILD = path.join(__dirname, '..', '..', 'build', 'storm');
const CLIENTS = path.join(BUILD, 'storm');
const SETTLE = 10_000; // ms for the counters to come back to zero
const MB = 1 << 20;

function build() {
  fs.mkdirSync(BUILD, { recursive: true });
  const sources = ['storm.c', 'reader.c'].map((name) => path.join(__dirname, name));
  const warnings = ['-Wall', '-Wextra', '-Wshadow', '-Werror'];
  execFileSync('cc', ['-O2', ...warnings, '-o', CLIENTS, ...sources], { stdio: 'inherit' });
}

class Server {
  /** @returns {Promise<Server>} once it listens */
  static async start(env) {
    const server = new Server();
    server._child = fork(path.join(__dirname, 'server.js'), {
      execArgv: ['--expose-gc', '--unhandled-rejections=strict'],
      env: { ...process.env, ...env },
    });
    server.exited = new Promise((resolve) =>
      server._child.once('exit', (code, signal) => resolve({ code, signal })),
    );
    server.port = await server._reply('port');
    return server;
  }

  async ask(command) {
    const reply = this._reply(command);
    this._child.send({ command });
    return reply;
  }

  _reply(key) {
    return new Promise((resolve, reject) => {
      const onMessage = (message) => {
        if (!(key in message)) return;
        this._child.off('message', onMessage);
        resolve(message[key]);
      };
      this._child.on('message', onMessage);
      this.exited.then(({ code, signal }) =>
        reject(new Error(`the server of the storm is gone: code ${code}, signal ${signal}`)),
      );
    });
  }

  kill() {
    this._child.kill('SIGKILL');
  }
}

/** @returns {Promise<object>} what the clients report */
function clients(port, { total, atOnce, life, seed, seconds }) {
  const child = spawn(CLIENTS, [port, total, atOnce, life, seed, seconds].map(String), {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let out = '';
  let err = '';
  child.stdout.on('data', (text) => {
    out += text;
  });
  child.stderr.on('data', (text) => {
    err += text;
  });
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code, signal) => {
      if (code === 0) resolve(JSON.parse(out));
      else if (code === 3) reject(new Error(`not over after ${seconds} s: ${out}`));
      else reject(new Error(`seed ${seed}: code ${code}, signal ${signal}\n${err}${out}`));
    });
  });
}

/** Asks until every gauge is zero, or time is up. The server is calm from here on: what it tells nobody is kept as well. */
async function settled(server) {
  await server.ask('calm');
  const limit = Date.now() + SETTLE;
  for (;;) {
    const measured = await server.ask('measure');
    const left = Object.entries(measured.gauges).filter(([, value]) => value !== 0);
    if (left.length === 0) return measured;
    if (Date.now() > limit) assert.fail(`left behind: ${JSON.stringify(Object.fromEntries(left))}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

async function exits(server) {
  const late = new Promise((resolve) => setTimeout(resolve, 5_000, 'still there').unref());
  return Promise.race([server.exited, late]);
}

/**
 * @param {{total: number, atOnce: number, life: number, seconds: number, seed?: number, env?: object, rssMB?: number,
 *   heapMB?: number}} options `total` streams, `atOnce` of them together, each for `life` ms on average, bounded by `seconds`;
 *   how much memory may have grown between the first half and the end
 * @returns {Promise<object>} numbers for who wants to read them
 */
async function storm({ rssMB = 64, heapMB = 2, seed = Date.now() % 1e9, env, ...options }) {
  build();
  const server = await Server.start(env);
  try {
    await server.ask('flood');
    const part = (share) => ({ ...options, seed, total: Math.round(options.total * share) });
    await clients(server.port, part(0.5));
    const before = await settled(server);
    await server.ask('flood');
    const clientsSaw = await clients(server.port, part(0.5));
    const after = await settled(server);
    const totals = await server.ask('totals');
    assert.equal(after.fds, before.fds, 'descriptors');
    assert.equal(after.threads, before.threads, 'threads');
    const heap = (after.heapUsed - before.heapUsed) / MB;
    const rss = (after.rss - before.rss) / MB;
    assert.ok(heap < heapMB, `the heap has grown by ${heap.toFixed(1)} MB`);
    assert.ok(rss < rssMB, `memory has grown by ${rss.toFixed(1)} MB`);
    await server.ask('close');
    assert.deepEqual(await exits(server), { code: 0, signal: null }, 'the process ends by itself');
    return { seed, clientsSaw, heapMB: heap, rssMB: rss, fds: after.fds, ...totals };
  } finally {
    server.kill();
  }
}

module.exports = { storm };
