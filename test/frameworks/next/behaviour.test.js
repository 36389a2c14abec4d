'use strict';

const next = require('next');
const { overMatrix } = require('../../js/suite/world');
const { BEHAVIOURS, comboOf } = require('../support/fetch-framework');
const { build } = require('./support');

const VISIT = 'x-fanline-visit';

const WITHOUT = ['loses its connection when its stream is cut']; // Next waits for the reader, who may never read on

let handle;
let count = 0;
const visits = new Map(); // number → what answers

/** Next has made a Request of Node's, which names its visit. */
globalThis.answerForSuite = (request) => visits.get(request.headers.get(VISIT))(request);

function serve(answer, onError) {
  return (req, res) => {
    const visit = String(count++);
    req.headers[VISIT] = visit;
    res.once('close', () => visits.delete(visit));
    visits.set(visit, (request) =>
      answer(req, res, request).catch((err) => {
        onError(err);
        return new Response(null, { status: err.status ?? 500 });
      }),
    );
    handle(req, res);
  };
}

describe('behaviour', () => {
  let app;
  before(async function () {
    this.timeout(240_000);
    app = next({ dev: false, dir: await build() });
    await app.prepare();
    handle = app.getRequestHandler();
  });
  after(() => app.close());

  overMatrix(BEHAVIOURS, [comboOf('Next.js', serve, WITHOUT)]);
});
