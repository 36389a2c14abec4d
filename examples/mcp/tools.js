'use strict';

// What an agent may call. A tool says how far it is, and stops when its signal aborts.

const { setTimeout: sleep } = require('node:timers/promises');

const PAGES_MAX = 1_000;
const PACE_MAX = 10_000; // ms

/** How many tools are running, and how many steps they have made: for GET /stats. */
const counts = { running: 0, pages: 0 };

const convert = {
  name: 'convert',
  description: 'Converts the pages of a book, one after the other, and says how far it is.',
  inputSchema: {
    type: 'object',
    properties: {
      pages: { type: 'integer', minimum: 1, maximum: PAGES_MAX },
      pace: { type: 'integer', minimum: 0, maximum: PACE_MAX, description: 'ms for each page' },
      fails: { type: 'boolean', description: 'Let it fail half-way' },
    },
    required: ['pages'],
  },

  /** @returns {string} what is wrong with the arguments; '': nothing */
  problemOf({ pages, pace = 0 }) {
    const isIn = (value, min, max) => Number.isInteger(value) && value >= min && value <= max;
    if (!isIn(pages, 1, PAGES_MAX)) return `"pages" must be an integer from 1 to ${PAGES_MAX}`;
    return isIn(pace, 0, PACE_MAX) ? '' : `"pace" must be an integer from 0 to ${PACE_MAX}`;
  },

  /**
   * @param {object} args
   * @param {{signal: AbortSignal, progress: (done: number, total: number, message: string) => void}} call
   * @returns {Promise<string>} the answer
   */
  async run({ pages, pace = 100, fails }, { signal, progress }) {
    counts.running++;
    try {
      for (let page = 1; page <= pages; page++) {
        await sleep(pace, undefined, { signal });
        if (fails && page > pages / 2) throw new Error(`Page ${page} cannot be read`);
        counts.pages++;
        progress(page, pages, `Page ${page}`);
      }
      return `Converted ${pages} pages`;
    } finally {
      counts.running--;
    }
  },
};

const TOOLS = new Map([[convert.name, convert]]);
const list = () =>
  [...TOOLS.values()].map(({ name, description, inputSchema }) => ({
    name,
    description,
    inputSchema,
  }));

module.exports = { TOOLS, counts, list };
