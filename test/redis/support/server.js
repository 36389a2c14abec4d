'use strict';

// Debian's redis-server, started by the test on a free port of the loopback, with a folder of its own.

const { spawn } = require('node:child_process');
const { once } = require('node:events');
const fs = require('node:fs');
const net = require('node:net');
const os = require('node:os');
const path = require('node:path');
const { setTimeout: delay } = require('node:timers/promises');

const COMMAND = process.env.REDIS_SERVER ?? 'redis-server';
const READY = 10_000; // ms until it must answer
const running = new Set();
process.on('exit', () => {
  for (const child of running) child.kill('SIGKILL');
});

/** A port that was free a moment ago. */
async function freePort() {
  const server = net.createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address();
  server.close();
  await once(server, 'close');
  return port;
}

/** What it answers to PING: a line, or null while nobody listens. */
function ping(port) {
  return new Promise((resolve) => {
    const socket = net.connect(port, '127.0.0.1');
    const end = (answer) => {
      socket.destroy();
      resolve(answer);
    };
    socket.setTimeout(1_000, () => end(null));
    socket.on('error', () => end(null)).on('close', () => end(null));
    socket.on('connect', () => socket.write('PING\r\n'));
    socket.on('data', (chunk) => end(String(chunk).trim()));
  });
}

class RedisServer {
  /**
   * @param {number} port
   * @param {string} dir
   * @param {object} options of redis.conf
   */
  constructor(port, dir, options) {
    this.port = port;
    this.dir = dir;
    this._options = options;
    this._child = null;
  }

  /** The pid; undefined: it does not run. */
  get pid() {
    return this._child?.pid;
  }

  /** An empty file of its folder, for it to write to. */
  _file(name) {
    const file = path.join(this.dir, name);
    fs.closeSync(fs.openSync(file, 'a'));
    return file;
  }

  async _start() {
    const { sentinel, ...options } = this._options;
    const args = ['--port', String(this.port), '--bind', '127.0.0.1', '--dir', this.dir];
    const all = sentinel ? options : { save: '', appendonly: 'no', ...options };
    if (sentinel) args.unshift(this._file('sentinel.conf'), '--sentinel');
    for (const [name, value] of Object.entries(all))
      args.push(`--${name}`, ...[value].flat().map(String));
    const child = spawn(COMMAND, args, { stdio: ['ignore', 'pipe', 'pipe'] });
    this._child = child;
    running.add(child);
    let said = '';
    let isOver = false;
    for (const stream of [child.stdout, child.stderr])
      stream.on('data', (chunk) => {
        said = `${said}${chunk}`.slice(-4_000);
      });
    child.on('error', (err) => {
      said = err.message;
      isOver = true;
    });
    child.once('exit', () => {
      isOver = true;
      running.delete(child);
      if (this._child === child) this._child = null;
    });
    const since = Date.now();
    for (;;) {
      const answer = await ping(this.port);
      if (/^\+PONG|^-NOAUTH/.test(answer ?? '')) return; // -LOADING: it reads what it kept
      if (isOver || Date.now() - since > READY) {
        this.kill();
        throw new Error(`${COMMAND} does not answer:\n${said}`);
      }
      await delay(10);
    }
  }

  /**
   * @param {NodeJS.Signals} [signal] SIGSTOP and SIGCONT: it is slow, and goes on
   * @returns {Promise<void>} resolves when it has ended; at once for signals that end nothing
   */
  async kill(signal = 'SIGKILL') {
    const child = this._child;
    if (child === null || child.pid === undefined) return;
    const isEnd = !['SIGSTOP', 'SIGCONT'].includes(signal);
    const over = isEnd && child.exitCode === null ? once(child, 'exit') : null;
    child.kill(signal);
    await over;
  }

  /** Starts it again, on the same port and folder: ends it first if it still runs. */
  async restart(signal = 'SIGKILL') {
    await this.kill(signal);
    await this._start();
  }

  /** Ends it for good; nothing of it is left. */
  async stop() {
    await this.kill('SIGKILL');
    fs.rmSync(this.dir, { recursive: true, force: true });
  }
}

/**
 * @param {object} [options] of redis.conf: `{ appendonly: 'yes', appendfsync: 'always' }`, several words as an array; nothing is
 *   kept on disk by default.
 *   `port`: this one instead of a free one; `sentinel: true`: a Sentinel
 * @returns {Promise<RedisServer>} answers
 */
async function startRedis({ port, ...options } = {}) {
  const dir = fs.mkdtempSync(path.join(os.tmpdir(), 'fanline-redis-'));
  const server = new RedisServer(port ?? (await freePort()), dir, options);
  try {
    await server._start();
  } catch (err) {
    await server.stop();
    throw err;
  }
  return server;
}

module.exports = { freePort, startRedis };
