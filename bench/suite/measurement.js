'use strict';

const { Load } = require('./load');
const { ServerProcess } = require('./process');

const SECONDS = 120; // for one measurement, at most

/** One driver, one variant, once: what measure() gets (scenario.js), and the end of everything it has started. */
class Measurement {
  #ends = [];
  #ended = false;
  #abort;
  #aborted = new Promise((_resolve, reject) => {
    this.#abort = reject;
  });

  constructor(scenario, driver, name, settings) {
    this.#aborted.catch(() => {});
    this.scenario = scenario;
    this.bench = {
      driver: name,
      has: (capability) => driver.has.includes(capability),
      settings,
      seconds: SECONDS,
      start: async (options = {}) => {
        const server = await ServerProcess.start(name, scenario, options, settings);
        this.#add(() => server.stop());
        return server;
      },
      load: async (server) => {
        const load = await Load.start(server, SECONDS);
        this.#add(() => load.kill());
        return load;
      },
      onEnd: (end) => this.#add(end),
    };
  }

  /** What has come up only after the measurement was given up ends at once. */
  #add(end) {
    if (this.#ended) end();
    else this.#ends.push(end);
  }

  /** @returns {Promise<object>} what measure() resolves with */
  async run() {
    const timer = setTimeout(
      () => this.abort(new Error(`not through after ${SECONDS} s`)),
      SECONDS * 1000,
    );
    try {
      return await Promise.race([this.scenario.measure(this.bench), this.#aborted]);
    } finally {
      clearTimeout(timer);
      this.#ended = true;
      for (const end of this.#ends.reverse()) await end();
    }
  }

  abort(reason) {
    this.#abort(reason);
  }
}

module.exports = { Measurement };
