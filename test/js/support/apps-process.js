'use strict';

// Starts apps-child.js, possibly beneath another command, and talks to it over raw connections.

const { spawn } = require('node:child_process');
const { once } = require('node:events');
const path = require('node:path');
const { Connection } = require('./apps-raw');

const PROGRAM = [process.execPath, path.join(__dirname, 'apps-child.js')];

class ChildApp {
  /**
   * @param {string} framework its name
   * @param {string[]} [before] a command that runs the rest of its arguments
   */
  constructor(framework, before = []) {
    const [command, ...args] = [...before, ...PROGRAM, framework];
    this.child = spawn(command, args, { stdio: ['ignore', 'pipe', 'inherit'], detached: true });
    this.exited = once(this.child, 'exit');
    this._connections = [];
  }

  async start() {
    const [line] = await once(this.child.stdout.setEncoding('utf8'), 'data');
    this.port = Number(line);
    return this;
  }

  connection() {
    const connection = new Connection(this.port);
    this._connections.push(connection);
    return connection;
  }

  /** A stream whose beginning has arrived. */
  async stream(path, conn = this.connection()) {
    conn.ask(path);
    await conn.body(':\n');
    return conn;
  }

  /** Gives an order on a connection of its own, which stays open. @returns {Promise<object>} the answer */
  async order(path) {
    this._orders ??= this.connection();
    this._orders.ask(path);
    const n = this._orders.methods.length - 1;
    return JSON.parse((await this._orders.response(n)).body);
  }

  async quit() {
    await this.order('/quit');
    return this.exited;
  }

  /** With all that it has started. */
  async end() {
    for (const connection of this._connections) connection.close();
    if (this.child.exitCode !== null || this.child.signalCode !== null) return;
    process.kill(-this.child.pid, 'SIGKILL');
    await this.exited;
  }
}

module.exports = { ChildApp };
