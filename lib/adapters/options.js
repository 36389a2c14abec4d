'use strict';

// What adapters are told in common: which hub, and how it ends.

const { MS_MAX, OPTION, checkKeys, integer, isPlain } = require('../checks');
const errors = require('../errors');
const { createHub } = require('../hub');

const KEYS = ['hub', 'grace'];

/**
 * @param {object} [options] `{ hub, grace }`; `hub`: one that there is, or the options of one to be made
 * @param {string} where for messages
 * @param {string[]} [others] keys that mean something to the framework
 * @returns {{hub: object, close: () => Promise<void>}} `close`: as the framework is to end the hub
 * @throws {TypeError|RangeError} `ERR_FAN_OPTION`
 */
function adapted(options = {}, where, others = []) {
  if (!isPlain(options)) throw errors.optionError('options', 'a plain object', options);
  checkKeys(options, [...KEYS, ...others], '', OPTION, where);
  const { hub, grace } = options;
  if (grace !== undefined && grace !== false) integer(grace, 'grace', 0, MS_MAX, 'ms', OPTION);
  const isHub = typeof hub?.connect === 'function'; // also one of another copy of this package
  if (hub !== undefined && !isHub && !isPlain(hub)) {
    throw errors.optionError('hub', 'a hub, or the options of one', hub);
  }
  const own = isHub ? hub : createHub(hub);
  return {
    hub: own,
    async close() {
      if (grace !== false) await own.close({ grace });
    },
  };
}

module.exports = { adapted };
