'use strict';

const { execFileSync } = require('node:child_process');
const fs = require('node:fs');
const path = require('node:path');

const ROOT = path.join(__dirname, '..', '..');

/** @returns {string} the program that opens many streams (bench/load.c), built */
function buildLoad() {
  const file = path.join(ROOT, 'build', 'bench', 'load');
  fs.mkdirSync(path.dirname(file), { recursive: true });
  execFileSync('cc', ['-O2', '-o', file, path.join(ROOT, 'bench', 'load.c')]);
  return file;
}

module.exports = { buildLoad };
