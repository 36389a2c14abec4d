'use strict';

// Loads the addon: a build of this machine (build/), else the binary shipped in the package (prebuilds/).

const fs = require('node:fs');
const path = require('node:path');
const load = require('node-gyp-build');

const ROOT = path.join(__dirname, '..');

function libc() {
  if (process.platform !== 'linux') return '';
  return ` ${process.env.LIBC || (fs.existsSync('/etc/alpine-release') ? 'musl' : 'glibc')}`;
}

function triedPaths() {
  const dirs = [path.join(ROOT, 'prebuilds', `${process.platform}-${process.arch}`)];
  if (!process.env.PREBUILDS_ONLY) {
    dirs.unshift(path.join(ROOT, 'build', 'Release'), path.join(ROOT, 'build', 'Debug'));
  }
  return dirs.map((dir) => {
    let files = [];
    try {
      files = fs.readdirSync(dir).filter((name) => name.endsWith('.node'));
    } catch {
      // Not there at all: the same to the reader as empty.
    }
    return `  ${dir}: ${files.join(', ') || 'nothing'}`;
  });
}

function explain(cause) {
  const installer = path.join(ROOT, 'scripts', 'install.js');
  const err = new Error(
    [
      `fanline's native addon does not load on ${process.platform}-${process.arch}${libc()}, ` +
        `Node ${process.versions.node}. Tried:`,
      ...triedPaths(),
      `Reason: ${String(cause.message).split('\n')[0]}`,
      `To build it here (needs g++, make and python3): node ${JSON.stringify(installer)} --from-source`,
    ].join('\n'),
    { cause },
  );
  err.code = 'ERR_FAN_NATIVE';
  return err;
}

try {
  module.exports = load(ROOT);
} catch (err) {
  throw explain(err);
}
