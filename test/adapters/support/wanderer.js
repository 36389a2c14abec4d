'use strict';

// A client that is cut at random moments and comes back, with what it saw last, to any of several hubs.

const { setTimeout: delay } = require('node:timers/promises');

class Wanderer {
  /**
   * @param {{listen: (query: string, options: object) => Promise<object>}[]} sites
   * @param {number} number of this one; its choices follow from that
   */
  constructor(sites, number) {
    this.number = number;
    this.cuts = 0;
    this._sites = sites;
    this._state = 7_919 * (number + 1);
    this._seen = [];
    this._lastEventId = undefined;
  }

  _random(below) {
    this._state = (this._state * 1_103_515_245 + 12_345) % 2 ** 31;
    return Math.floor((this._state / 2 ** 31) * below);
  }

  async _open() {
    for (let attempts = 50; ; attempts--) {
      const site = this._sites[this._random(this._sites.length)];
      try {
        return await site.listen('room=x', { lastEventId: this._lastEventId });
      } catch (err) {
        if (attempts === 0) throw err; // else its process has just died: there are others
        await delay(10);
      }
    }
  }

  /** Resolves when it has seen an event, and so will not miss one. */
  async begin() {
    const stream = await this._open();
    await stream.until(() => stream.events.length > 0);
    this._running = this._wander(stream);
    this._running.catch(() => {}); // finish() tells
  }

  async _wander(first) {
    let stream = first;
    for (;;) {
      for (let left = 1 + this._random(60); left > 0; left--) {
        const event = await stream.next();
        if (event === null) break; // ended as too slow: it comes back, as an EventSource does
        if (event.event === 'fanline:reset') throw new Error(`reset: ${event.data}`);
        this._lastEventId = event.id;
        const [text] = event.data.split(':.');
        this._seen.push(text);
        if (text.startsWith('end')) {
          stream.close();
          return;
        }
      }
      stream.close(); // what has come and was not looked at is lost
      this.cuts++;
      await delay(this._random(20));
      stream = await this._open();
    }
  }

  /** @returns {Promise<string[]>} the beginnings, up to `:.`, of all that it has seen, up to one that begins with `end` */
  async finish() {
    await this._running;
    return this._seen;
  }
}

module.exports = { Wanderer };
