'use strict';

// The behaviour suite over a framework of the Fetch API: its server takes the requests, makes Requests of them and writes the
// Responses that hub.response() gives.

const { FETCH } = require('../../js/suite/world');
const { bridge, tuned } = require('../../js/support/fetch-bridge');

/**
 * @param {string} name
 * @param {(answer: (req, res, request: Request) => Promise<Response>, onError: (err) => void) => Function} serve makes the
 *   listener for Node's http server: an app whose only route answers with `answer`, and whose error handler tells `onError` and
 *   answers with the error's status, or 500
 * @param {string[]} [without] tests that have no meaning on it
 * @returns {object} for overMatrix()
 */
function comboOf(name, serve, without = []) {
  const asked = new WeakMap(); // Node's request → { request, answer }
  const wrap = (_middleware, listener, onError) =>
    serve(
      (req, res, request) =>
        new Promise((resolve, reject) => {
          tuned(res);
          asked.set(req, { request, answer: resolve });
          listener(req, res, reject);
        }),
      onError,
    );
  const server = {
    requestOf: (req) => asked.get(req).request,
    passOn: (response, _res, req) => asked.get(req).answer(response),
  };
  return {
    ...FETCH,
    title: name,
    framework: { name, wrap },
    bridge: (hub) => bridge(hub, server),
    without: [...FETCH.without, ...without],
  };
}

/** The same server, asked over HTTP/2; that nothing is pipelined there is a matter of course. */
function overHttp2(combo) {
  const without = combo.without.filter((title) => !/pipelined/.test(title));
  return { ...combo, kind: 'http2', without };
}

// Not what an application does to a response of Node's.
const { ownwrites, wrappers, ...behaviours } = require('../../js/suite/all');
const BEHAVIOURS = [...Object.values(behaviours), require('./cutting')];

module.exports = { BEHAVIOURS, comboOf, overHttp2 };
