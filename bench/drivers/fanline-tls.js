'use strict';

const fanline = require('./fanline');
const { missing, withCertificate } = require('./support/certificate');

module.exports = {
  ...fanline,
  what: "fanline with https: Node encrypts, so it writes through Node's response",
  versions: () => ({ ...fanline.versions(), openssl: process.versions.openssl }),
  missing,
  create: (options) =>
    withCertificate(async (tls) => ({ ...(await fanline.create(options, {}, tls)), tls: true })),
};
