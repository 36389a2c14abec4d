'use strict';

// What an error of Redis or of its client means for us.

const errors = require('../errors');

// Nothing that waiting could mend. A script's errors begin or end with words of the script's own, depending on the server.
const WIRING = [
  [
    /NOAUTH|WRONGPASS|invalid password|NOPERM|user executing the script can't/i,
    'Redis refuses these credentials',
  ],
  [
    /subscriber mode|in this context/i,
    'this connection is in subscriber mode: give the adapter one of its own',
  ],
  [
    /unknown command|unknown redis command|unknown subcommand/i,
    'this server does not know Streams: Redis 5 or newer is needed',
  ],
  [/WRONGTYPE/, 'a key of the adapter is taken by something else: choose another `prefix`'],
  [/CROSSSLOT/, 'the keys of the adapter lie in several slots: `prefix` must not contain braces'],
];
const MENDED = [[/client is closed|connection is closed/i, 'the connection is not open']];

/**
 * @param {Error} err
 * @returns {Error} `ERR_FAN_ADAPTER`; `isFinal`: trying again is of no use
 */
function explain(err) {
  if (err.code === 'ERR_FAN_ADAPTER') return err;
  const matches = ([pattern]) => pattern.test(err.message);
  const wiring = WIRING.find(matches);
  const [, words] = wiring ?? MENDED.find(matches) ?? [];
  const message = err.message || err.code || err.name;
  const error = errors.adapter(words === undefined ? message : `${words} (${message})`, err);
  error.isFinal = wiring !== undefined;
  return error;
}

module.exports = { explain };
