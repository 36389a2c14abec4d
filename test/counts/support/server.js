'use strict';

// A process of its own, with the counted addon: serves streams, reads them, does what the scenarios say, and prints as JSON what
// each cost on either thread. What is not the addon's is not counted, so the readers may live here, too.
//   FANLINE_PREBUILD=… FANLINE_COUNTS=… node server.js

const { once } = require('node:events');
const http = require('node:http');
const net = require('node:net');
const { setTimeout: sleep } = require('node:timers/promises');
const { createHub } = require('fanline');
const { Counters } = require('./addon');
const { SCENARIOS } = require('./scenarios');

const ROUNDS = 5; // the median of them is what counts: a moment's delay in one of them changes nothing
const TIMES = 10;
const STEADY = 3; // looks, a millisecond apart, in which nothing has happened
const PATIENCE = 20_000;

const counters = new Counters();

/** The loop sleeps, and has heard all wake-ups. */
const isAsleep = ({ js, loop }) => loop.asleep === 1 && loop.heard >= js['wake-ups'];

/** Resolves with what the counters say when nothing goes on any more. */
async function quiet() {
  const limit = Date.now() + PATIENCE;
  let before = null;
  for (let same = 0; same < STEADY; ) {
    await sleep(1);
    const now = counters.read();
    same = isAsleep(now) && JSON.stringify(now) === before ? same + 1 : 0;
    before = JSON.stringify(now);
    if (Date.now() > limit) throw new Error(`never quiet: ${before}`);
  }
  return JSON.parse(before);
}

/** Keeps JavaScript busy until `condition()` holds, so that what follows finds the loop in the same state each time. */
function spin(condition) {
  const limit = Date.now() + PATIENCE;
  while (!condition()) if (Date.now() > limit) throw new Error(`never so: ${condition}`);
}

/** A server with a hub, and the readers of its streams. */
class Stage {
  constructor(options) {
    this.hub = createHub(options);
    this.clients = [];
    this._readers = [];
    this._server = http.createServer((req, res) => {
      this.clients.push(this.hub.connect(req, res, { rooms: ['room', 'all'] }));
      queueMicrotask(() => spin(() => isAsleep(counters.read()))); // behind the end of the stretch
    });
  }

  async start(count) {
    this._server.listen(0, '127.0.0.1');
    await once(this._server, 'listening');
    for (let i = 0; i < count; i++) await this.open();
  }

  async open() {
    const reader = net.connect(this._server.address().port, '127.0.0.1');
    this._readers.push(reader);
    reader.write('GET / HTTP/1.1\r\nHost: localhost\r\n\r\n');
    await once(reader, 'data');
    reader.resume();
  }

  /** A reader goes away; it is always the loop which sees it first. */
  async leave() {
    const closed = once(this.clients.shift(), 'close');
    const { bells } = counters.read().loop;
    this._readers.shift().destroy();
    spin(() => counters.read().loop.bells > bells);
    await closed;
  }

  /** The hub ends a stream. */
  async dismiss() {
    const client = this.clients.shift();
    const closed = once(client, 'close');
    client.close();
    await closed;
    this._readers.shift().destroy();
  }

  async end() {
    for (const reader of this._readers) reader.destroy();
    await this.hub.close({ grace: 0 });
    this._server.close();
    await once(this._server, 'close');
  }
}

function difference(after, before) {
  return Object.fromEntries(
    Object.keys(after).map((thread) => [
      thread,
      Object.fromEntries(
        Object.keys(after[thread]).map((name) => [
          name,
          after[thread][name] - before[thread][name],
        ]),
      ),
    ]),
  );
}

function median(numbers) {
  return numbers.sort((a, b) => a - b)[numbers.length >> 1];
}

/** What one of them costs, by thread and group. */
async function measure({ options, clients, rounds: wanted = ROUNDS, times = TIMES, op }) {
  const stage = new Stage(options);
  await stage.start(clients);
  const rounds = [];
  let number = 0;
  for (let round = -1; round < wanted; round++) {
    const before = await quiet();
    for (let i = 0; i < times; i++) {
      await op(stage, number++);
      await quiet();
    }
    // The first round warms up: pools, rings and tables have their size afterwards.
    if (round >= 0) rounds.push(difference(await quiet(), before));
  }
  await stage.end();
  const [first] = rounds;
  return Object.fromEntries(
    Object.keys(first).map((thread) => [
      thread,
      Object.fromEntries(
        Object.keys(first[thread])
          .filter((name) => name !== 'asleep' && name !== 'heard')
          .map((name) => [name, median(rounds.map((each) => each[thread][name])) / times]),
      ),
    ]),
  );
}

async function main() {
  // The loop lives as long as there are hubs; and what it does for each of them is told.
  const other = new Stage({ heartbeat: false });
  await other.start(1);
  const found = {};
  for (const [name, scenario] of Object.entries(SCENARIOS)) found[name] = await measure(scenario);
  await other.end();
  console.log(JSON.stringify(found));
}

main();
