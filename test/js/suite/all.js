'use strict';

// All behaviours, by name.

const NAMES = [
  'opening',
  'sending',
  'addressing',
  'presence',
  'leaving',
  'closing',
  'ownwrites',
  'wrappers',
  'heartbeats',
  'pressure',
  'replay',
  'deciding',
];

module.exports = Object.fromEntries(NAMES.map((name) => [name, require(`./${name}`)]));
