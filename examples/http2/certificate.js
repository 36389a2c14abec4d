'use strict';

// Browsers speak HTTP/2 over TLS only. For this machine: a key and a certificate made when the server starts, never written to
// a disk. A real one comes from CERT and KEY, the names of two PEM files.

const { execFileSync } = require('node:child_process');
const fs = require('node:fs');

const { CERT, KEY } = process.env;
const NEW_KEY = [
  '-newkey',
  'ec',
  '-pkeyopt',
  'ec_paramgen_curve:prime256v1',
  '-nodes',
  '-keyout',
  '-',
];
const FOR = ['-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost,IP:127.0.0.1'];

/** @returns {{ cert: string, key: string }} for http2.createSecureServer */
function certificate() {
  if (CERT && KEY) {
    return { cert: fs.readFileSync(CERT, 'utf8'), key: fs.readFileSync(KEY, 'utf8') };
  }
  try {
    const made = ['req', '-x509', ...NEW_KEY, '-out', '-', '-days', '7', ...FOR];
    const pem = execFileSync('openssl', made, { encoding: 'utf8', stdio: 'pipe' });
    return { cert: pem, key: pem }; // each is found by its own headline
  } catch (cause) {
    throw new Error('No certificate: install openssl, or name one with CERT=… and KEY=…', {
      cause,
    });
  }
}

module.exports = { certificate };
