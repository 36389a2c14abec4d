'use strict';

// A proxy as there are many: it compresses what it may, `no-transform` says that it may not, and it flushes nothing by itself.

const http = require('node:http');
const compression = require('compression');
const express = require('express');
const { serve } = require('../../js/support/serve');

/** @param {number} port of the server behind it */
function compressingProxy(port) {
  const app = express();
  app.use(compression());
  app.use((req, res) => {
    const { method, url, headers } = req;
    const asked = http.request(
      { port, host: '127.0.0.1', method, path: url, headers },
      (answer) => {
        res.writeHead(answer.statusCode, answer.headers);
        answer.pipe(res);
      },
    );
    asked.on('error', () => res.destroy());
    res.on('close', () => asked.destroy());
    req.pipe(asked);
  });
  return serve(app);
}

module.exports = { compressingProxy };
