'use strict';

const { getRequestListener } = require('@hono/node-server');
const { Hono } = require('hono');
const { overMatrix } = require('../../js/suite/world');
const { BEHAVIOURS, comboOf, overHttp2 } = require('../support/fetch-framework');

function serve(answer, onError) {
  const app = new Hono();
  app.all('*', (c) => answer(c.env.incoming, c.env.outgoing, c.req.raw));
  app.onError((err, c) => {
    onError(err);
    return c.body(null, err.status ?? 500);
  });
  return getRequestListener(app.fetch);
}

const WITHOUT = [
  'serves HTTP/1.0 without chunks, the end of the connection being the end', // it insists on a Host
];

describe('behaviour', () => {
  overMatrix(BEHAVIOURS, [
    comboOf('Hono on node-server', serve, WITHOUT),
    overHttp2(comboOf('Hono on node-server, HTTP/2', serve)),
  ]);
});
