'use strict';

// What the programs of docs/ find when a test runs them (docs-run.js): servers listen on a free port of the loopback, whatever
// port the page names, and do not keep the process, so that a program is over when nothing is left to do.

const assert = require('node:assert/strict');
const dns = require('node:dns');
const { once } = require('node:events');
const http = require('node:http');
const net = require('node:net');
const nodeTest = require('node:test');
const express = require('express');
const { createHub } = require('fanline');
const testing = require('fanline/testing');
const support = require('./open');
const { when } = require('./stage');

let server = null; // the last that was told to listen
let isThrough = false;
const servers = [];
const streams = [];

const { listen } = net.Server.prototype;
net.Server.prototype.listen = function (...args) {
  const listener = args.at(-1);
  const isLocal = typeof (args[0]?.path ?? args[0]) === 'string'; // a socket of the library's own, with a name
  if (!isLocal) server = this;
  servers.push(this);
  const { lookup } = dns;
  dns.lookup = (...asked) => asked.at(-1)(null, '127.0.0.1', 4); // at once: its port is known behind listen()
  listen.call(this, 0, '127.0.0.1', typeof listener === 'function' ? listener : undefined);
  dns.lookup = lookup;
  return this.unref();
};

/** Programs for browsers are pages of that server, too. */
Object.defineProperty(globalThis, 'location', {
  get: () => new URL(`http://127.0.0.1:${server.address().port}/`),
});

/** What a page may take for granted with `needs`. */
const NEEDS = {
  hub: () => createHub(),
  http: () => http,
  express: () => express,
  createHub: () => createHub,
  /** What every browser has, in Node: of npm. */
  EventSource: () => {
    const { EventSource } = require('eventsource');
    return class extends EventSource {
      constructor(address, options) {
        super(new URL(address, location), options);
        streams.push(this);
      }
    };
  },
  assert: () => assert,
  open: () => testing.open,
  test: () => nodeTest,
  describe: () => nodeTest.describe,
  it: () => nodeTest.it,
  before: () => nodeTest.before,
  after: () => nodeTest.after,
  /** An Express app that listens. */
  app: () => {
    const app = express();
    app.listen(3000);
    return app;
  },
};

function provide(names) {
  return Object.fromEntries(names.map((name) => [name, NEEDS[name]()]));
}

/** The address of a path on the program's server, once it listens. */
async function url(path) {
  if (!server.listening) await once(server, 'listening');
  return `http://127.0.0.1:${server.address().port}${path}`;
}

const tools = {
  assert,
  once,
  url,
  when,
  /** A stream of the program's server (open.js), ended with the program. `options` as there. */
  async open(path, options) {
    const stream = await support.open(await url(path), options);
    streams.push(stream);
    return stream;
  },
  /** @param {boolean} isChecked whatever was to be seen has been seen; else tests of node:test may just begin */
  end(isChecked) {
    isThrough = true;
    for (const stream of streams) stream.close();
    if (!isChecked) return;
    const close = () => {
      for (const each of servers) each.closeAllConnections?.();
    };
    setInterval(close, 20).unref(); // fetch would keep its own for seconds, and the process with them
  },
  /** Tells the parent where it listens, and stays until the parent has had enough. */
  async serve() {
    isThrough = true;
    process.send(await url(''));
    await once(process, 'disconnect');
    process.exit(0);
  },
};

// When nothing is left to wait for, Node ends, with 0, in the middle of an await.
process.on('exit', () => {
  if (isThrough || process.exitCode) return;
  console.error('the process ended before the program and its check were through');
  process.exitCode = 1;
});

module.exports = { provide, tools };
