'use strict';

const { execFileSync } = require('node:child_process');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');

function missing() {
  const dirs = (process.env.PATH ?? '').split(path.delimiter);
  if (dirs.some((dir) => fs.existsSync(path.join(dir, 'openssl')))) return undefined;
  return 'openssl is missing: npm run test:setup';
}

/** Calls `use` with the files of a new certificate for 127.0.0.1, which are gone when it returns. */
function withCertificate(use) {
  const dir = fs.mkdtempSync(path.join(os.tmpdir(), 'fanline-bench-'));
  const [key, cert] = ['key.pem', 'cert.pem'].map((name) => path.join(dir, name));
  try {
    execFileSync(
      'openssl',
      ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes']
        .concat(['-days', '2', '-subj', '/CN=localhost', '-addext', 'subjectAltName=IP:127.0.0.1'])
        .concat(['-keyout', key, '-out', cert]),
      { stdio: ['ignore', 'ignore', 'pipe'] },
    );
    return use({ key, cert });
  } finally {
    fs.rmSync(dir, { recursive: true });
  }
}

module.exports = { missing, withCertificate };
