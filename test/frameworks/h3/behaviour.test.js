'use strict';

const { H3 } = require('h3');
const { toNodeHandler } = require('h3/node');
const { overMatrix } = require('../../js/suite/world');
const { BEHAVIOURS, comboOf } = require('../support/fetch-framework');

function serve(answer, onError) {
  const app = new H3({
    silent: true,
    onError(err) {
      onError(err.cause ?? err);
    },
  });
  app.all('/**', (event) => {
    const { req, res } = event.runtime.node;
    return answer(req, res, event.req);
  });
  return toNodeHandler(app);
}

describe('behaviour', () => overMatrix(BEHAVIOURS, [comboOf('h3', serve)]));
