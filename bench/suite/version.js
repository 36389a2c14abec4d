'use strict';

const fs = require('node:fs');
const path = require('node:path');

/** @returns {string} the version of a package of bench/, whatever its exports say; throws if it isn't installed */
function versionOf(name) {
  const file = path.join(__dirname, '..', 'node_modules', name, 'package.json');
  if (!fs.existsSync(file)) throw new Error(`${name} is missing: cd bench && npm ci`);
  return JSON.parse(fs.readFileSync(file, 'utf8')).version;
}

module.exports = { versionOf };
