'use strict';

// A publisher that never pauses, and many readers in another process that are cut off at random bytes all the while
// (resume-wanderer.js).

const assert = require('node:assert/strict');
const { fork } = require('node:child_process');
const { once } = require('node:events');
const path = require('node:path');
const { setTimeout: sleep } = require('node:timers/promises');
const { createHub } = require('fanline');
const { Plan, roomName, userName } = require('./resume-plan');
const { serve } = require('./serve');

const TICK_MS = 40; // at most, between two stretches of sends
const OWN_PER_TICK = 30; // private sends, each to somebody
const LEAST_PER_TICK = 2; // however slow the readers are
const CATCH_UP_MS = 20_000;

class Storm {
  /**
   * @param {{transport: string, clients: number, returns: number, count: number, ms: number, size: number, cutBytes: number, awayMs: number,
   *   pauseMs?: number, seed?: number}} how `count` sends of up to `size` bytes, spread over `ms`, or over as long as
   *   each client needs to return so often; see Wanderer
   */
  constructor(how) {
    this.seed = how.seed ?? Math.floor(Math.random() * 2 ** 31);
    this._how = how;
    this._plan = new Plan(this.seed, how.count, how.size);
    this._told = new Map(); // client → private sends so far
    this._sent = 0;
    this._connects = 0;
    this._connectsWanted = (how.returns + 1) * how.clients;
    this._deliveries = [];
    this.hub = createHub({
      heartbeat: false,
      retry: false,
      transport: how.transport,
      history: { events: how.count, bytes: 64 << 20, maxAge: 600_000 },
    });
    this.hub.on('disconnect', (client) => this._told.delete(client));
  }

  /** @returns {Promise<object>} what the readers say (resume-child.js) */
  async run() {
    const { transport, returns, ms, ...how } = this._how;
    this._server = await serve((req, res) => this._connect(req, res));
    this._child = fork(path.join(__dirname, 'resume-child.js'), { execArgv: [] });
    const { port } = this._server;
    await this._call('start', { ...how, seed: this.seed, port, spreadMs: ms / 4 });
    await this._publish(how.count, ms);
    const report = await this._call('settle', { ms: CATCH_UP_MS });
    report.deliveries = await Promise.all(this._deliveries);
    return report;
  }

  _connect(req, res) {
    const [, number, tells] = req.url.split('/');
    const { rooms, user } = this._plan.placeOf(Number(number));
    const opts = { rooms: rooms.map(roomName), user: userName(user) };
    const client = this.hub.connect(req, res, opts);
    this._connects++;
    if (client.closed !== null || tells !== 'tell') return;
    this._told.set(client, 0);
    this._tell(client);
  }

  /** A private event says how many there were before it, and how far the plan was. */
  _tell(client) {
    const number = this._told.get(client);
    client.send(`${number} ${this._sent}`, { event: 'own' });
    this._told.set(client, number + 1);
  }

  async _publish(count, ms) {
    const begun = performance.now();
    while (this._sent < count) {
      const part = Math.min(
        (performance.now() - begun) / ms,
        this._connects / this._connectsWanted,
      );
      const due = Math.max(this._sent + LEAST_PER_TICK, Math.ceil(part * count));
      while (this._sent < Math.min(due, count)) this._step();
      const some = [...this._told.keys()];
      for (let i = 0; i < OWN_PER_TICK && some.length > 0; i++)
        this._tell(some[Math.floor(Math.random() * some.length)]);
      await sleep(Math.random() * TICK_MS);
    }
  }

  _step() {
    const delivery = this._plan.send(this.hub, this._sent++);
    if (delivery !== null) this._deliveries.push(delivery);
  }

  async _call(method, how) {
    const exit = once(this._child, 'exit').then(() => {
      throw new Error('the readers have ended');
    });
    exit.catch(() => {});
    this._child.send({ method, how });
    const [{ result }] = await Promise.race([once(this._child, 'message'), exit]);
    return result;
  }

  /**
   * Nobody has missed anything, got anything twice, been reset or ended.
   * @param {object} report of `run`
   * @returns {object} the hub's stats
   */
  check({ errors, incomplete, deliveries }) {
    assert.deepEqual({ errors, incomplete }, { errors: [], incomplete: [] }, `seed ${this.seed}`);
    for (const { matched, written, dropped, closed } of deliveries)
      assert.deepEqual([matched, dropped], [written + closed, 0]);
    const stats = this.hub.stats();
    assert.equal(stats.resets, 0);
    const reasons = Object.keys(stats.disconnects).filter(
      (reason) => stats.disconnects[reason] > 0,
    );
    assert.deepEqual(reasons, ['client']);
    assert.deepEqual(Object.keys(stats.relay), this._how.transport === 'relay' ? ['option'] : []);
    return stats;
  }

  async close() {
    if (this._child?.connected) {
      const exit = once(this._child, 'exit');
      this._child.disconnect();
      await exit;
    }
    await this.hub.close({ grace: 0 });
    await this._server?.close();
  }
}

module.exports = { Storm };
