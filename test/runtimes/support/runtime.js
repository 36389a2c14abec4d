'use strict';

// Starts a program under another runtime, and speaks with it.

const assert = require('node:assert/strict');
const { spawn } = require('node:child_process');
const path = require('node:path');
const readline = require('node:readline');

const BIN = path.join(__dirname, '..', 'node_modules', '.bin');
const PROGRAM = path.join(__dirname, 'program.js');
const DENO = ['run', '--quiet', '--no-prompt', '--no-lock'];
const PATIENCE = 10_000; // ms

// `program`: flags for a server; `test`: for the suites, which look at more of the machine.
const RUNTIMES = [
  {
    name: 'Bun',
    command: path.join(BIN, 'bun'),
    program: [],
    test: ['--expose-gc'],
    native: 'Bun.serve',
  },
  {
    name: 'Deno',
    command: path.join(BIN, 'deno'),
    program: [...DENO, '--allow-net', '--allow-read', '--allow-env', '--allow-ffi'],
    test: [...DENO, '--allow-all', '--v8-flags=--expose-gc'],
    native: 'Deno.serve',
  },
];

function within(promise, what, ms = PATIENCE) {
  let timer;
  const late = new Promise((_resolve, reject) => {
    timer = setTimeout(() => reject(new Error(`not ${what} in ${ms} ms`)), ms);
  });
  return Promise.race([promise, late]).finally(() => clearTimeout(timer));
}

class Program {
  constructor(runtime, way, options) {
    const args = [...runtime.program, PROGRAM, way, JSON.stringify(options)];
    this._child = spawn(runtime.command, args, { stdio: 'pipe' });
    this.said = ''; // on stderr
    this._told = []; // what it says of its own accord: ['opened', number, transport], ['closed', number, reason]
    this._asked = new Map();
    this._wakes = new Set();
    this._child.stderr.setEncoding('utf8').on('data', (text) => {
      this.said += text;
    });
    this._child.stdin.on('error', () => {}); // it has died, which `ended` tells
    readline.createInterface({ input: this._child.stdout }).on('line', (line) => this._line(line));
    this.ended = new Promise((resolve) => {
      this._child.on('close', (code, signal) => resolve(`${code ?? signal} ${this.said}`.trim()));
    });
    this.ended.then((how) => {
      const err = new Error(`the program has ended: ${how}`);
      for (const { reject } of this._asked.values()) reject(err);
      for (const wake of this._wakes) wake(err);
    });
  }

  _line(line) {
    const [number, result, err] = JSON.parse(line);
    const asked = this._asked.get(number);
    if (asked === undefined) {
      this._told.push(JSON.parse(line));
      for (const wake of this._wakes) wake();
      return;
    }
    this._asked.delete(number);
    if (err) asked.reject(new Error(err));
    else asked.resolve(result);
  }

  /** Has it do one of DEEDS. */
  async do(deed, ...args) {
    const number = `${this._asked.size} ${deed} ${performance.now()}`;
    const answer = new Promise((resolve, reject) => this._asked.set(number, { resolve, reject }));
    this._child.stdin.write(`${JSON.stringify([number, deed, ...args])}\n`);
    return within(answer, `done: ${deed}`);
  }

  /** Waits for what it tells. @returns {Promise<any>} what follows `what` and `number` */
  async told(what, number) {
    const find = () =>
      this._told.find(([kind, whose]) => kind === what && (number ?? whose) === whose);
    let wake;
    const comes = new Promise((resolve, reject) => {
      wake = (err) => {
        if (err) reject(err);
        else if (find()) resolve();
      };
      this._wakes.add(wake);
      wake();
    });
    await within(comes, `told: ${what} ${number}`).finally(() => this._wakes.delete(wake));
    const [, first, second] = find();
    return number === undefined ? first : second;
  }

  kill() {
    this._child.kill('SIGKILL');
    return this.ended;
  }

  /** Ends the hub, then the server; then the process has to end by itself. */
  async quit() {
    await this.do('quit');
    this._child.stdin.end();
    assert.match(await within(this.ended, 'ended by itself'), /^0\b/);
  }
}

/** @returns {Promise<Program>} with its `url` */
async function start(runtime, way, options = {}) {
  const program = new Program(runtime, way, options);
  const isPlain = !['https', 'http2'].includes(way);
  try {
    program.url = `${isPlain ? 'http' : 'https'}://127.0.0.1:${await program.told('port')}`;
  } catch (err) {
    await program.kill();
    throw err;
  }
  return program;
}

module.exports = { RUNTIMES, start, within };
