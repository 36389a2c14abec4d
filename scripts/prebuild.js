'use strict';

// npm's `prepack` script: builds from source and puts the stripped binary where node-gyp-build looks
// for it. One Node-API binary serves every Node from 20 on.

const { spawnSync } = require('node:child_process');
const fs = require('node:fs');
const path = require('node:path');
const { build } = require('./install');

const ROOT = path.join(__dirname, '..');

/** As node-gyp-build reads it: <platform>-<arch>/node.napi[.glibc|.musl].node */
function prebuildPath() {
  const libc = fs.existsSync('/etc/alpine-release') ? 'musl' : 'glibc';
  const tags = ['node', 'napi', process.platform === 'linux' && libc, 'node'].filter(Boolean);
  return path.join(ROOT, 'prebuilds', `${process.platform}-${process.arch}`, tags.join('.'));
}

function strip(file) {
  if (process.platform === 'win32') return;
  const args = process.platform === 'darwin' ? ['-x', file] : ['--strip-unneeded', file];
  const { error, status } = spawnSync('strip', args, { stdio: 'inherit' });
  if (error || status !== 0)
    throw new Error(`strip failed on ${file}: ${error?.message ?? status}`);
}

async function main() {
  const built = path.join(ROOT, await build());
  const target = prebuildPath();
  fs.mkdirSync(path.dirname(target), { recursive: true });
  fs.copyFileSync(built, target);
  strip(target);
  // What ships is what was just built: it has to load, alone.
  const loader = path.join(ROOT, 'lib', 'native.js');
  const { status } = spawnSync(process.execPath, ['-e', `require(${JSON.stringify(loader)})`], {
    stdio: 'inherit',
    env: { ...process.env, PREBUILDS_ONLY: '1' },
  });
  if (status !== 0) throw new Error('the binary to ship does not load');
  // To the error stream: `npm pack` owns the other one.
  console.error(
    `fanline: ${path.relative(ROOT, target)}, ${Math.round(fs.statSync(target).size / 1024)} KiB`,
  );
}

main().catch((err) => {
  console.error(`fanline: ${err.message}`);
  process.exitCode = 1;
});
