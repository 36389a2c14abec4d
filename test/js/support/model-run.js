'use strict';

// Random operations on a hub behind a server of its own, and the same on the oracle. Every reader is a real one, over http.
// What the hub answers is compared at once; what arrived, what listeners were told and what became of each event, in the end.

const assert = require('node:assert/strict');
const { setImmediate } = require('node:timers/promises');
const { createHub } = require('fanline');
const { finish } = require('./model-check');
const { OPERATIONS } = require('./model-operations');
const { open } = require('./open');
const { Oracle } = require('./oracle');
const { Random } = require('./random');
const { serve } = require('./serve');
const { when } = require('./stage');

const RETRY = 1_234;
const STRETCH = 8; // operations without a pause, at most
const WAIT = 10_000; // ms

/** One connection: the hub's client, its reader and the oracle's twin. */
class Connection {
  constructor(twin, cursor) {
    this.twin = twin;
    this.cursor = cursor; // what it came with
    this.client = null;
    this.stream = null;
    this.isPaused = false;
    this.hasLeft = false;
    this.hasFailed = false; // its snapshot threw
    this.snapshots = [];
    this.drops = [];
    this.log = [];
  }

  /** What an EventSource would come back with. */
  get lastSeen() {
    return this.stream.events.findLast(({ id }) => id !== undefined)?.id ?? this.cursor;
  }
}

class ModelRun {
  /**
   * @param {{title: string, hub?: object, history?: object|false, snapshot?: boolean, keys?: boolean, large?: boolean,
   *   transports: string[], operations: number, weights: object, settle: number}} setup
   * @param {number} seed
   */
  constructor(setup, seed) {
    this.setup = setup;
    this.random = new Random(seed);
    this.connections = [];
    this.deliveries = [];
    this.accepted = [];
    this.count = 0; // makes every piece another one
    this.failure = null; // what a listener has found
    this._arrivals = [];
    const { overflow = 'disconnect' } = setup.hub ?? {};
    this.isLossy = overflow !== 'disconnect';
    this.hasHistory = setup.history !== false;
  }

  async start() {
    const { hub: options, history = {}, snapshot, transports } = this.setup;
    this.hub = createHub({
      heartbeat: false,
      retry: RETRY,
      history,
      snapshot: snapshot ? (client, why) => this._snapshot(client.data, why) : undefined,
      ...options,
    });
    this.transports = transports;
    this._listen();
    this._server = await serve((req, res) => this._arrivals.shift()({ req, res }));
    this.oracle = new Oracle({
      epoch: await this._epoch(),
      history: this.hasHistory ? { events: history.events ?? 200 } : null,
      retry: RETRY,
      clientsPerUser: options?.limits?.clientsPerUser ?? Infinity,
      hasSnapshot: snapshot === true,
    });
    if (this.hasHistory) this._probe();
  }

  /** What ids of this hub begin with. */
  async _epoch() {
    const id = await this.hub.to('nobody').send('').accepted;
    return id?.split('-')[0] ?? '';
  }

  /** The oracle has to know of the event that told the epoch. */
  _probe() {
    const nobody = { rooms: ['nobody'], users: [], clients: [] };
    this.oracle.publish({ ...nobody, except: { rooms: [], clients: [], addresses: [] } }, '');
  }

  _listen() {
    const { hub } = this;
    hub.on('connect', ({ data }) => data.log.push('connect'));
    hub.on('join', ({ data }, room) => data.log.push(`join ${room}`));
    hub.on('leave', (client, room) => {
      const isIn = hub.to(room).clients().includes(client);
      client.data.log.push(isIn ? `told of leaving ${room} too early` : `leave ${room}`);
    });
    hub.on('drop', ({ data }, drop) => data.drops.push(drop));
    hub.on('disconnect', ({ data }, reason) => {
      data.log.push(`disconnect ${reason}`);
      this._ended(data, reason);
    });
  }

  _ended({ twin, hasLeft, hasFailed }, reason) {
    const expected = [];
    if (twin.state === 'closing') expected.push(twin.reason);
    else {
      if (hasLeft) expected.push('client');
      if (hasFailed) expected.push('error');
      if (twin.mayBeSlow || (this.setup.large && !this.isLossy)) expected.push('slow');
    }
    this.oracle.ended(twin, reason);
    if (expected.includes(reason)) return;
    const alive = expected.join(' or ') || 'alive';
    this.failure ??= new Error(`connection ${twin.number} has ended: ${reason}, not ${alive}`);
  }

  // ---- those who come ----

  /** A request that waits for hub.connect(). */
  async knock(lastEventId) {
    const arrived = new Promise((resolve) => this._arrivals.push(resolve));
    const stream = open(this._server.url, lastEventId === undefined ? {} : { lastEventId });
    stream.catch(() => {}); // judged when it is looked at
    return { ...(await arrived), stream };
  }

  /** It is let in, or turned away as the oracle says. */
  enter({ req, res, stream }, opts, request) {
    const answer = this.oracle.connect(request);
    if (answer.reason !== undefined && answer.reason !== null) {
      this._turnedAway(this.hub.connect(req, res, opts), answer, stream);
      return;
    }
    const connection = new Connection(answer, request.id);
    connection.random = this.random.fork();
    connection.opened = stream.then((opened) => {
      connection.stream = opened;
    });
    connection.client = this.hub.connect(req, res, { ...opts, data: connection });
    connection.client.on('close', (reason) => connection.log.push(`close ${reason}`));
    this.connections.push(connection);
    assert.equal(connection.client.closed, null);
    assert.equal(connection.client.lastEventId, request.id);
  }

  _turnedAway(client, { reason, status, text }, stream) {
    assert.equal(client.closed, reason);
    this.accepted.push(
      stream.then(async (opened) => {
        assert.equal(await opened.end(), 'end');
        assert.deepEqual([opened.status, opened.text], [status, text]);
      }),
    );
  }

  // ---- snapshots ----

  /** A few events, with or without pauses; sometimes it fails. The twin's gate opens when the hub's does. */
  _snapshot(connection, why) {
    const { random } = connection;
    connection.snapshots.push(why);
    if (random.chance(0.1)) {
      connection.hasFailed = true;
      throw new Error('no snapshot');
    }
    if (random.chance(0.5)) return this._tellSlowly(connection, random.below(4));
    for (let left = random.below(4); left > 0; left--) this._tellState(connection);
    this.oracle.ungate(connection.twin);
    return undefined;
  }

  async _tellSlowly(connection, pauses) {
    for (let left = pauses; left > 0; left--) {
      await setImmediate();
      this._tellState(connection);
    }
    this.oracle.ungate(connection.twin);
  }

  _tellState({ client, twin }) {
    const data = { state: ++this.count };
    this.oracle.send(twin, data);
    client.send(data);
  }

  // ---- who may be chosen ----

  /** Connections that take part, as far as anybody can know. */
  get present() {
    return this.connections.filter(
      ({ twin, stream, hasLeft }) => twin.state === 'open' && stream !== null && !hasLeft,
    );
  }

  /** Those whose reader has left, or was told to. */
  get gone() {
    return this.connections.filter(
      ({ twin, stream, hasLeft }) => stream !== null && (hasLeft || twin.state === 'closed'),
    );
  }

  // ---- running ----

  async run() {
    try {
      await this.start();
      for (let left = this.setup.operations; left > 0; ) {
        const count = Math.min(left, 1 + this.random.below(STRETCH));
        await this._stretch(count);
        left -= count;
        if (this.random.chance(this.setup.settle)) await this.settle();
      }
      await this.settle();
      await finish(this);
    } finally {
      await this.hub.close({ grace: 0 });
      await this._server.close();
    }
  }

  /** Several operations in one stretch of code: requests that it needs are there before. */
  async _stretch(count) {
    const names = Array.from({ length: count }, () => this.random.weighted(this.setup.weights));
    const chosen = [];
    for (const name of names) {
      const { prepare, act } = OPERATIONS[name];
      chosen.push({ act, prepared: await prepare?.(this) });
    }
    for (const { act, prepared } of chosen) {
      act(this, prepared);
      this._compare();
    }
    await setImmediate();
  }

  _compare() {
    const { failure, hub, oracle } = this;
    if (failure !== null) throw failure;
    const rooms = new Set(oracle.open.flatMap((twin) => [...twin.rooms]));
    const users = new Set(oracle.open.map(({ user }) => user).filter((user) => user !== undefined));
    assert.equal(hub.size, oracle.clients.length);
    for (const room of rooms) assert.equal(hub.rooms.get(room), oracle.sizeOf(room), room);
    const stats = hub.stats();
    assert.deepEqual(
      [hub.rooms.size, stats.clients, stats.rooms, stats.users],
      [rooms.size, oracle.clients.length, rooms.size, users.size],
    );
  }

  /** All that was sent has been read, and whoever has left is gone. */
  async settle() {
    const { oracle } = this;
    for (const { opened } of this.connections) await opened;
    for (const connection of this.connections) this.resume(connection);
    const isGone = ({ twin, hasLeft, hasFailed }) =>
      twin.state === 'closed' || !(hasLeft || hasFailed || twin.state === 'closing');
    await when(() => this.connections.every(isGone), 'the end of those who have left', WAIT);
    await when(() => oracle.gated.length === 0, 'the end of all snapshots', WAIT);
    await Promise.all(this.present.map((connection) => this._caughtUp(connection)));
    oracle.settled(() => true);
  }

  resume(connection) {
    if (connection.isPaused) connection.stream.resume();
  }

  /** An event of its own comes through: what was sent before has, too. Under a dropping policy it may take several. */
  async _caughtUp(connection) {
    const { client, stream, twin } = connection;
    const marks = [];
    const mark = () => {
      if (twin.state !== 'open') return;
      marks.push(`settled ${++this.count}.`);
      this.oracle.send(twin, marks.at(-1));
      client.send(marks.at(-1));
    };
    mark();
    let seen = stream.events.length;
    let isSeen = false;
    const isThrough = () => {
      isSeen ||= stream.events.slice(seen).some(({ data }) => marks.includes(data));
      seen = stream.events.length;
      return isSeen || twin.state === 'closed';
    };
    for (let tries = 0; this.isLossy && !isThrough() && tries < 50; tries++) {
      await when(isThrough, '', 20).catch(mark);
    }
    await when(isThrough, `connection ${twin.number} up to ${marks.at(-1)}`, WAIT);
    connection.isPaused = false;
  }
}

module.exports = { ModelRun };
