'use strict';

// Starts a server for a test, on loopback and a free port, and ends it with everything that is connected.

const fs = require('node:fs');
const http = require('node:http');
const http2 = require('node:http2');
const https = require('node:https');
const path = require('node:path');

const TLS = {
  key: fs.readFileSync(path.join(__dirname, 'tls.key')),
  cert: fs.readFileSync(path.join(__dirname, 'tls.crt')),
};

const KINDS = {
  http: (listener) => http.createServer(listener),
  https: (listener) => https.createServer(TLS, listener),
  h2c: (listener) => http2.createServer(listener),
  http2: (listener) => http2.createSecureServer({ ...TLS, allowHTTP1: false }, listener),
};

/**
 * @param {(req, res) => void} listener also an Express app
 * @param {'http'|'https'|'http2'|'h2c'} [kind]
 * @returns {Promise<{url: string, port: number, server: object, close(): Promise<void>}>}
 */
async function serve(listener, kind = 'http') {
  const server = KINDS[kind](listener);
  const sockets = new Set();
  server.on('connection', (socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address();
  return {
    port,
    server,
    url: `${kind === 'http' || kind === 'h2c' ? 'http' : 'https'}://127.0.0.1:${port}`,
    async close() {
      const closed = new Promise((resolve) => server.close(resolve));
      for (const socket of sockets) socket.destroy();
      await closed;
    },
  };
}

module.exports = { TLS, serve };
