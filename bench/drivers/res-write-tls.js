'use strict';

const { missing, withCertificate } = require('./support/certificate');
const plain = require('./res-write');

module.exports = {
  ...plain,
  what: 'res-write with https, for fanline-tls to stand beside',
  versions: () => ({ openssl: process.versions.openssl }),
  missing,
  create: (options) =>
    withCertificate(async (tls) => ({ ...(await plain.create(options, tls)), tls: true })),
};
