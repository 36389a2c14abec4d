'use strict';

// What an error of Redis or of its client means for us.

const errors = require('../errors');

// Nothing that waiting could mend.
const WIRING = [
  [/^NOAUTH|^WRONGPASS|invalid password|^NOPERM/i, 'Redis refuses these credentials'],
  [
    /subscriber mode|in this context|\(P\|S\)SUBSCRIBE/i,
    'this connection is in subscriber mode: give the adapter one of its own',
  ],
  [
    /unknown command|unknown subcommand/i,
    'this server does not know Streams: Redis 5 or newer is needed',
  ],
  [/^WRONGTYPE/, 'a key of the adapter is taken by something else: choose another `prefix`'],
  [/^CROSSSLOT/, 'the keys of the adapter lie in several slots: `prefix` must not contain braces'],
];

/**
 * @param {Error} err
 * @returns {Error} `ERR_FAN_ADAPTER`; `isFinal`: trying again is of no use
 */
function explain(err) {
  if (err.code === 'ERR_FAN_ADAPTER') return err;
  const found = WIRING.find(([pattern]) => pattern.test(err.message));
  const error = errors.adapter(
    found === undefined ? err.message || err.name : `${found[1]} (${err.message})`,
    err,
  );
  error.isFinal = found !== undefined;
  return error;
}

module.exports = { explain };
