'use strict';

const { execFileSync } = require('node:child_process');
const fs = require('node:fs');
const path = require('node:path');

const NATIVE = path.join(__dirname, '..', 'native');
const OUT = path.join(__dirname, '..', '..', 'build', 'bench');
const FLAGS = ['-std=gnu11', '-O2', '-Wall', '-Wextra'];

/** `with`: flags of an optional part, which needs libraries that not every machine has. */
const PROGRAMS = {
  load: { from: 'load', with: ['-DWITH_TLS', '-lssl', '-lcrypto'] },
  bare: { from: 'bare' },
};

/** @returns {string} the path of a program in C; buildNative() has made it */
const nativePath = (name) => path.join(OUT, name);

function sourcesOf(folder) {
  const names = fs.readdirSync(path.join(NATIVE, folder));
  return names.map((name) => path.join(NATIVE, folder, name));
}

function compile(files, out, more, stdio) {
  const sources = files.filter((file) => file.endsWith('.c'));
  execFileSync('cc', [...FLAGS, '-o', out, ...sources, ...more], { stdio });
}

function build(name, files) {
  const optional = PROGRAMS[name].with;
  const part = `${nativePath(name)}.${process.pid}`; // another run may do the same at this moment
  try {
    compile(files, part, optional ?? [], optional ? 'ignore' : 'inherit');
  } catch (err) {
    if (!optional) throw err;
    compile(files, part, [], 'inherit');
  }
  fs.renameSync(part, nativePath(name));
}

/** Compiles what is older than its sources. */
function buildNative() {
  fs.mkdirSync(OUT, { recursive: true });
  for (const [name, { from }] of Object.entries(PROGRAMS)) {
    const files = sourcesOf(from);
    const newest = Math.max(...files.map((file) => fs.statSync(file).mtimeMs));
    const made = fs.statSync(nativePath(name), { throwIfNoEntry: false })?.mtimeMs ?? 0;
    if (made <= newest) build(name, files);
  }
}

module.exports = { buildNative, nativePath };
