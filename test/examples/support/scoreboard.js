'use strict';

// The scoreboard of examples/migration, as its readers and reporters see it over HTTP.

const { open } = require('../../js/support/open');

const MATCHES = ['otters-herons', 'foxes-badgers', 'wrens-lynxes'];

class Scoreboard {
  /** @param {object} example listening: see startExample */
  constructor(example) {
    this.example = example;
    this._streams = [];
  }

  /** A stream, with `named(count)`: the next events as [name, value]. */
  async stream(path, options) {
    const stream = await open(this.example.url + path, options);
    this._streams.push(stream);
    stream.named = async (count) =>
      (await stream.take(count)).map(({ event, data }) => [event, JSON.parse(data)]);
    return stream;
  }

  /** Names of matches, none: all; then options of `open`. */
  watch(...args) {
    const options = typeof args.at(-1) === 'object' ? args.pop() : undefined;
    return this.stream(
      `/events?${new URLSearchParams(args.map((name) => ['match', name]))}`,
      options,
    );
  }

  async post(path, fields) {
    const response = await fetch(`${this.example.url}/${path}`, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json' },
      body: JSON.stringify(fields),
    });
    return response.json();
  }

  goal(match, side, by = 'Ada') {
    return this.post(`matches/${match}/goals`, { side, by });
  }

  line(match, kind, text) {
    return this.post(`matches/${match}/lines`, { kind, text });
  }

  async close() {
    for (const stream of this._streams) await stream.close();
    await this.example.close();
  }
}

module.exports = { MATCHES, Scoreboard };
