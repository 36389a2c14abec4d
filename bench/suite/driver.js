'use strict';

// A driver is one way to serve event streams: bench/drivers/<name>.js, which exports
//
//   what       one line for the report: which package, how it is used
//   versions   () => { 'better-sse': '0.16.1' }; by versionOf() of suite/version.js; {} if it needs none
//   missing    optional, () => why it can't run here ('nginx is missing: apt-get install nginx-light') or undefined.
//              A package that isn't installed need not be told: versions() throws then, and that is the reason.
//   has        what it can do, of CAPABILITIES: a scenario takes the drivers that have what it needs
//   create     async (options) => server, in a process of its own (bench/server.js). Loads its package only here.
//
// options, all from the scenario (`start` in scenario.js), each of which a driver may ignore that does not have the capability:
//   history    so many events are kept for Last-Event-ID; 0 (the default): none, and events have no id
//   queueBytes what a reader may have waiting, where the package has such a limit
//   onStream   (stream) => void, called for each GET /stream with { send(text), end() } and, with `pipe`, pipe(source) => Promise
//
// The server that create() resolves with serves three addresses, each as its package's documentation says it should be done:
//   GET /events          a stream that gets every broadcast; ?rooms=a,b is in these rooms, too; Last-Event-ID: what it has missed first
//   GET /stream          a stream that belongs to nobody else: given to options.onStream
//   GET /ping            200, `pong`
// and has
//   listen()             => Promise<port>, on 127.0.0.1 with a backlog of 4,096
//   tls                  true: https (else absent)
//   protocol             'socket.io': WebSocket (else absent: event streams)
//   pids()               the processes whose CPU and memory count, where that is not the driver's own: nginx, bare. No JavaScript
//                        thread is measured then.
//   stop()               ends these (else absent); the driver's own process is killed
//   broadcast(text)      `broadcast`: one event with this data to everybody of /events. A promise that it returns is awaited.
//   toRoom(room, text)   `rooms`: one event to everybody in the room
//   clients()            `churn`: an array of { join(room), leave(room) }, one for each open stream of /events
//   stats()              `stats`: what it counts itself, any object of numbers
//
// An event's data is a text without line breaks; a reader must find it in a line `data: <text>` (JSON's quotes around it are fine).
// CPU and memory are not the driver's business: bench/suite/proc.js reads them from the operating system.

const fs = require('node:fs');
const path = require('node:path');

const FOLDER = path.join(__dirname, '..', 'drivers');

/** Capability: the method of a server that stands for it, if there is one. */
const CAPABILITIES = {
  broadcast: 'broadcast',
  rooms: 'toRoom',
  private: null, // options.onStream is called with { send, end }
  pipe: null, // … and pipe
  replay: null, // options.history, Last-Event-ID
  churn: 'clients',
  stats: 'stats',
  ping: null, // GET /ping
};

function driverNames() {
  return fs
    .readdirSync(FOLDER)
    .filter((name) => name.endsWith('.js'))
    .map((name) => name.slice(0, -'.js'.length))
    .sort();
}

function loadDriver(name) {
  const driver = require(path.join(FOLDER, `${name}.js`));
  for (const key of ['what', 'versions', 'has', 'create'])
    if (!(key in driver)) throw new Error(`drivers/${name}.js exports no ${key}`);
  for (const capability of driver.has)
    if (!(capability in CAPABILITIES))
      throw new Error(`drivers/${name}.js: no capability ${capability}`);
  return driver;
}

/** @returns {string | undefined} why the driver can't run on this machine */
function whyNot(driver) {
  try {
    driver.versions();
  } catch (err) {
    return err.message.split('\n')[0];
  }
  return driver.missing?.();
}

/** In the driver's own process: its server, with all that it says it has. */
async function createServer(name, options) {
  const driver = loadDriver(name);
  const server = await driver.create({ history: 0, ...options });
  for (const capability of driver.has) {
    const method = CAPABILITIES[capability];
    if (method && typeof server[method] !== 'function')
      throw new Error(`drivers/${name}.js: ${capability} without ${method}()`);
  }
  return server;
}

module.exports = { CAPABILITIES, createServer, driverNames, loadDriver, whyNot };
