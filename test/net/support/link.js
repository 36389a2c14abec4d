'use strict';

// The link that the tests run on: two network namespaces where they are to be had (root, iproute2, a kernel with veth, tbf and BPF
// filters), else a proxy on loopback. FANLINE_LINK=proxy asks for the proxy.

const { NamespaceLink, refusal } = require('./namespaces');
const { ProxyLink } = require('./proxy');

const why = process.env.FANLINE_LINK === 'proxy' ? 'FANLINE_LINK=proxy' : refusal();

/** What tests are called after. */
const KIND =
  why === null ? 'two network namespaces' : `a loopback proxy, no network namespaces: ${why}`;

/** @param {{kbit?: number, loss?: number}} [quality] towards the readers: kbit/s, per cent of the packets */
const openLink = (quality) => (why === null ? NamespaceLink : ProxyLink).open(quality);

module.exports = { KIND, isReal: why === null, openLink };
