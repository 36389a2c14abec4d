'use strict';

// Ending an EventSource for good. The last event of a stream that shall not come back carries an id that says so; the
// browser's next attempt brings it as Last-Event-ID and is answered 204, on which every EventSource stops (WHATWG HTML
// 9.2.3). Stateless, so any process can answer; a forged id locks out only whoever sends it.

const PREFIX = 'fanline:end:';
const HONOURED_MINUTES = 24 * 60;
const MINUTE = 60_000;

function now() {
  return Math.floor(Date.now() / MINUTE);
}

/** @returns {string} the id of a last event sent now */
function fenceId() {
  return PREFIX + now();
}

/**
 * Does this request come from an EventSource that was told to stay away less than 24 hours ago? The header alone counts.
 * @param {object} req
 * @returns {boolean}
 */
function isFenced(req) {
  const id = req.headers['last-event-id'];
  if (req.method !== 'GET' || typeof id !== 'string' || !id.startsWith(PREFIX)) return false;
  const digits = id.slice(PREFIX.length);
  if (!/^\d{1,10}$/.test(digits)) return false;
  const age = now() - Number(digits);
  return age >= -1 && age <= HONOURED_MINUTES; // another process' clock may be a little ahead
}

module.exports = { fenceId, isFenced };
