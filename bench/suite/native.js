'use strict';

const { execFileSync } = require('node:child_process');
const fs = require('node:fs');
const path = require('node:path');

const BENCH = path.join(__dirname, '..');
const OUT = path.join(BENCH, '..', 'build', 'bench');

const SOURCES = { load: ['load.c'], bare: ['bare.c'] };

/** @returns {string} the path of a program in C; buildNative() has made it */
const nativePath = (name) => path.join(OUT, name);

/** Compiles what is older than its sources. */
function buildNative() {
  fs.mkdirSync(OUT, { recursive: true });
  for (const [name, sources] of Object.entries(SOURCES)) {
    const files = sources.map((file) => path.join(BENCH, file));
    const newest = Math.max(...files.map((file) => fs.statSync(file).mtimeMs));
    const made = fs.statSync(nativePath(name), { throwIfNoEntry: false })?.mtimeMs ?? 0;
    if (made > newest) continue;
    const part = `${nativePath(name)}.${process.pid}`; // another run may do the same at this moment
    execFileSync('cc', ['-O2', '-Wall', '-Wextra', '-o', part, ...files], { stdio: 'inherit' });
    fs.renameSync(part, nativePath(name));
  }
}

module.exports = { buildNative, nativePath };
