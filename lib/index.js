'use strict';

const connecting = require('./connect');
const { Hub, createHub } = require('./hub');
const { hubOptions, sseOptions } = require('./options');

// The hub behind sse(): made by the first call, one for each environment. It has no rooms and tells nobody to come back.
let single = null;

/**
 * One stream for one answer (tokens, progress, a log): no rooms, ids are yours, no `retry` line unless asked for.
 * See types/index.d.ts.
 */
function sse(req, res, opts) {
  const settings = sseOptions(opts);
  single ??= new Hub(hubOptions({ retry: false, history: false }), { hasRooms: false });
  return connecting.connect(single, req, res, settings);
}

module.exports = { createHub, sse };
