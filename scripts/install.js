'use strict';

// npm's `install` script. A binary shipped in the package is used when it loads in this Node;
// otherwise the addon is built with node-gyp, against the headers beside Node. Nothing is downloaded.
//
//   --from-source   build even when a shipped binary would do (always so in a git checkout)
//   --debug         build without optimisation, with symbols, into build/Debug

const { spawn, spawnSync } = require('node:child_process');
const fs = require('node:fs');
const path = require('node:path');
const { findNodeDir } = require('./node-headers');

const ROOT = path.join(__dirname, '..');
const TARGET = `${process.platform}-${process.arch}`;
const STAMP = path.join(ROOT, 'build', 'configured-for.json');
const TAIL_LINES = 40;

const succeeds = (command, args, env) =>
  spawnSync(command, args, { stdio: 'ignore', env: env ?? process.env, timeout: 30_000 }).status ===
  0;

/** Loads the shipped binary in a child, so that even one that crashes only means "build it". */
function prebuildLoads() {
  const loader = JSON.stringify(path.join(ROOT, 'lib', 'native.js'));
  return succeeds(process.execPath, ['-e', `require(${loader})`], {
    ...process.env,
    PREBUILDS_ONLY: '1',
  });
}

/** The first of `commands` that runs, or null. */
const firstWorking = (commands, args) =>
  commands.find((command) => command && succeeds(command, args)) ?? null;

function checkTools() {
  if (process.platform === 'win32') return; // node-gyp's own message about Visual Studio is good
  const python = ['-c', 'import sys; sys.exit(sys.version_info < (3, 6))'];
  const missing = [
    !firstWorking([process.env.CXX, 'g++', 'c++'], ['--version']) && 'g++',
    !firstWorking([process.env.MAKE, 'make', 'gmake'], ['--version']) && 'make',
    !firstWorking([process.env.PYTHON, 'python3', 'python'], python) && 'python3',
  ].filter(Boolean);
  if (missing.length === 0) return;
  const verb = missing.length === 1 ? 'is' : 'are';
  const cure =
    process.platform === 'darwin'
      ? 'run xcode-select --install'
      : 'on Debian and Ubuntu: apt-get install g++ make python3';
  throw new Error(
    `${missing.join(', ')} ${verb} missing, needed to build the addon for ${TARGET}; ${cure}`,
  );
}

/** Path of node-gyp's script: npm's choice, our own devDependency, or the one inside npm. */
function findNodeGyp() {
  const bin = path.join('node_modules', 'node-gyp', 'bin', 'node-gyp.js');
  const prefix = path.dirname(path.dirname(fs.realpathSync(process.execPath)));
  const found = [
    path.join(ROOT, bin),
    process.env.npm_config_node_gyp,
    process.env.npm_execpath && path.join(path.dirname(process.env.npm_execpath), '..', bin),
    path.join(prefix, 'lib', 'node_modules', 'npm', bin),
    path.join(path.dirname(process.execPath), 'node_modules', 'npm', bin),
    '/usr/share/nodejs/node-gyp/bin/node-gyp.js',
    '/usr/share/nodejs/npm/node_modules/node-gyp/bin/node-gyp.js',
  ].find((file) => file && fs.existsSync(file));
  if (!found) throw new Error('node-gyp was not found: npm install -g npm (npm carries it)');
  return found;
}

/** node-gyp lets npm_config_* beat its command line, so a stray nodedir or disturl must not reach it. */
function cleanEnvironment() {
  const env = {};
  for (const [name, value] of Object.entries(process.env)) {
    if (/^npm_(config|package_config_node_gyp)_/i.test(name) || name === 'MAKEFLAGS') continue;
    env[name] = value;
  }
  const searchPath = Object.keys(env).find((name) => name.toUpperCase() === 'PATH') ?? 'PATH';
  env[searchPath] = [path.dirname(process.execPath), env[searchPath]]
    .filter(Boolean)
    .join(path.delimiter);
  return env;
}

/** `configure build` compiles only what changed; it is right only for the same Node, place and mode. */
function nodeGypCommands(setup) {
  let before = '';
  try {
    before = fs.readFileSync(STAMP, 'utf8');
  } catch {
    // No build directory yet.
  }
  return before === JSON.stringify(setup) ? ['configure', 'build'] : ['rebuild'];
}

function run(script, args, env) {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [script, ...args], {
      cwd: ROOT,
      env,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const output = [];
    for (const stream of [child.stdout, child.stderr])
      stream.on('data', (chunk) => output.push(chunk));
    child.on('error', reject);
    child.on('close', (code) => {
      if (code === 0) return resolve();
      const lines = Buffer.concat(output)
        .toString()
        .trimEnd()
        .split('\n')
        .filter((line) => !line.startsWith('gyp info'));
      reject(
        new Error(
          `node-gyp ${args[0]} failed; its last lines:\n${lines.slice(-TAIL_LINES).join('\n')}`,
        ),
      );
    });
  });
}

async function build({ debug = false } = {}) {
  checkTools();
  const nodedir = findNodeDir();
  const script = findNodeGyp();
  const mode = debug ? 'Debug' : 'Release';
  const setup = { root: ROOT, target: TARGET, node: process.version, nodedir, mode };
  const commands = nodeGypCommands(setup);
  // node-gyp-build takes Release before Debug: only the mode asked for last may be there.
  fs.rmSync(path.join(ROOT, 'build', debug ? 'Release' : 'Debug'), {
    recursive: true,
    force: true,
  });
  const options = [`--nodedir=${nodedir}`, debug ? '--debug' : '--release', '--jobs=2'];
  const env = cleanEnvironment();
  for (const command of commands) await run(script, [command, ...options], env);
  fs.writeFileSync(STAMP, JSON.stringify(setup));
  return path.join('build', mode, 'fanline.node');
}

async function main(args) {
  const started = Date.now();
  const wished =
    args.includes('--from-source') ||
    /^(true|fanline)$/.test(process.env.npm_config_build_from_source);
  const checkout = fs.existsSync(path.join(ROOT, '.git'));
  if (!wished && !checkout && prebuildLoads()) {
    console.log(`fanline: using the binary shipped for ${TARGET}`);
    return;
  }
  const file = await build({ debug: args.includes('--debug') });
  console.log(`fanline: built ${file} in ${((Date.now() - started) / 1000).toFixed(1)} s`);
}

module.exports = { build };

if (require.main === module) {
  main(process.argv.slice(2)).catch((err) => {
    console.error(`fanline: ${err.message}`);
    process.exitCode = 1;
  });
}
