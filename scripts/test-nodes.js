'use strict';

// npm run test:nodes: the JavaScript suites and the frameworks' on every Node version that we support, with the binary that was built
// here (Node-API: one for all), and a build of the addon with each version's own headers. `npm run test:nodes -- 24` runs one of them. The versions are
// npm packages in test/nodes.

const { spawn, spawnSync } = require('node:child_process');
const { once } = require('node:events');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');

const ROOT = path.join(__dirname, '..');
const NODES = path.join(ROOT, 'test', 'nodes');
const FRAMEWORKS = path.join(ROOT, 'test', 'frameworks');
const SUITES = ['js', 'api', 'cluster'];
const COPIED = ['binding.gyp', 'lib', 'package.json', 'scripts', 'src'];

function run(command, args, options) {
  return spawnSync(command, args, {
    cwd: ROOT,
    stdio: ['ignore', 'inherit', 'inherit'],
    ...options,
  }).status;
}

function wanted(args) {
  const { dependencies } = JSON.parse(fs.readFileSync(path.join(NODES, 'package.json'), 'utf8'));
  const majors = Object.keys(dependencies).map((name) => name.slice('node'.length));
  const unknown = args.filter((major) => !majors.includes(major));
  if (unknown.length === 0) return args.length > 0 ? args : majors;
  console.error(`no Node ${unknown.join(', ')}; there are ${majors.join(', ')}`);
  process.exit(2);
}

/** Builds in a copy, as `npm install` would there. */
function builds(node) {
  const dir = fs.mkdtempSync(path.join(os.tmpdir(), 'fanline-build-'));
  for (const name of COPIED) {
    fs.cpSync(path.join(ROOT, name), path.join(dir, name), { recursive: true });
  }
  fs.symlinkSync(path.join(ROOT, 'node_modules'), path.join(dir, 'node_modules'));
  const status = run(node, ['scripts/install.js', '--from-source'], { cwd: dir });
  const loads = run(node, ['-e', 'require(".")'], { cwd: dir });
  fs.rmSync(dir, { recursive: true, force: true });
  return status === 0 && loads === 0;
}

/** Runs a command that leaves mocha's counts where the environment says; answers them. */
async function counted(name, command, args, { env, ...options }) {
  const dir = fs.mkdtempSync(path.join(os.tmpdir(), 'fanline-nodes-'));
  const report = path.join(dir, 'report.json');
  const child = spawn(command, args, {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, ...env, FANLINE_REPORT: report },
    timeout: 5 * 60_000,
    ...options,
  });
  const said = [];
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (text) => said.push(text));
  const [status] = await once(child, 'close');
  console.log(`\n-- ${name}\n${Buffer.concat(said)}`);
  const text = fs.existsSync(report) ? fs.readFileSync(report, 'utf8') : null;
  fs.rmSync(dir, { recursive: true });
  if (text === null) return { passed: 0, failed: 1 };
  const { passed, failed, skipped } = JSON.parse(text);
  const bad = failed + (process.env.CI === 'true' ? skipped.length : 0);
  return { passed, failed: status !== 0 && bad === 0 ? 1 : bad };
}

/** One of our suites under that Node. */
function suite({ major, node }, name) {
  const mocha = path.join(ROOT, 'node_modules', 'mocha', 'bin', '_mocha');
  const config = ['--config', `test/${name}/.mocharc.json`];
  const args = ['--expose-gc', mocha, ...config, '--reporter', 'scripts/mocha-reporter.js'];
  return counted(`Node ${major}: ${name}`, node, args, { cwd: ROOT });
}

/** The frameworks' under that Node, one after the other: a package each, whose mocha takes the first node on PATH. */
async function frameworks({ major, node }) {
  const env = { PATH: `${path.dirname(node)}${path.delimiter}${process.env.PATH}` };
  const all = [];
  for (const name of fs.readdirSync(FRAMEWORKS)) {
    const cwd = path.join(FRAMEWORKS, name);
    if (!fs.existsSync(path.join(cwd, 'package.json'))) continue;
    all.push(await counted(`Node ${major}: ${name}`, 'npm', ['test', '--silent'], { cwd, env }));
  }
  return all;
}

async function main(args) {
  const majors = wanted(args);
  if (!fs.existsSync(path.join(NODES, 'node_modules'))) {
    console.error('the Node versions are missing: npm run test:setup');
    process.exit(1);
  }
  const nodes = majors.map((major) => ({
    major,
    node: path.join(NODES, 'node_modules', `node${major}`, 'bin', 'node'),
    isBuilt: false,
    passed: 0,
    failed: 0,
  }));
  for (const one of nodes) {
    console.log(`\n== Node ${one.major}: a build with its headers`);
    one.isBuilt = builds(one.node);
  }
  // A lane for each kind of suite, through all versions: none waits for the slowest of another kind.
  const lane = async (run) => {
    for (const one of nodes) {
      for (const counts of await run(one)) {
        one.passed += counts.passed;
        one.failed += counts.failed;
      }
    }
  };
  await Promise.all([
    ...SUITES.map((name) => lane(async (one) => [await suite(one, name)])),
    lane(frameworks),
  ]);
  let passed = 0;
  let failed = 0;
  const lines = [];
  for (const one of nodes) {
    passed += one.passed + Number(one.isBuilt);
    failed += one.failed + Number(!one.isBuilt);
    const built = one.isBuilt ? 'builds' : 'does not build';
    lines.push(`Node ${one.major}: ${built}, ${one.passed} passed, ${one.failed} failed`);
  }
  console.log(`\n${lines.join('\n')}\n${passed} passed, ${failed} failed`);
  process.exitCode = failed > 0 ? 1 : 0;
}

main(process.argv.slice(2));
