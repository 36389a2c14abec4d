'use strict';

// What a user gets: packs the project, installs the tarball into an empty app (install scripts off, no
// compiler on PATH), loads every entry of it there, runs the README's first sample and listens to it with curl,
// and has its types compiled.

const { execFileSync, spawn } = require('node:child_process');
const fs = require('node:fs');
const net = require('node:net');
const os = require('node:os');
const path = require('node:path');
const { checkBare, checkLoaded, checkTypes, compilers, peers } = require('./check-exports');

const ROOT = path.join(__dirname, '..');
const SAMPLE_LINES = 15;
const PROOF = `check-pack-${process.pid}`;

const temp = fs.mkdtempSync(path.join(os.tmpdir(), 'fanline-pack-'));
const app = path.join(temp, 'app');
const children = [];
const say = (text) => console.log(`pack: ${text}`);

function fail(text) {
  throw new Error(text);
}

async function until(what, condition, ms = 15_000) {
  for (const end = Date.now() + ms; Date.now() < end; ) {
    const value = await condition();
    if (value) return value;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  return fail(`${what}: not within ${ms / 1000} s`);
}

function pack() {
  execFileSync('npm', ['pack', '--pack-destination', temp], { cwd: ROOT, stdio: 'inherit' });
  const tarball = fs.readdirSync(temp).find((name) => name.endsWith('.tgz'));
  const listing = execFileSync('tar', ['-tzf', path.join(temp, tarball)], { encoding: 'utf8' });
  const names = listing.trim().split('\n');
  if (!names.some((name) => /^package\/prebuilds\/[^/]+\/node\.napi[.\w]*\.node$/.test(name))) {
    fail('the tarball has no prebuilt binary');
  }
  const stray = names.filter((name) =>
    /^package\/(test|examples|\.ci|build|node_modules)\//.test(name),
  );
  if (stray.length) fail(`the tarball carries ${stray.join(', ')}`);
  say(
    `${tarball}: ${names.length} files, ${Math.round(fs.statSync(path.join(temp, tarball)).size / 1024)} KiB`,
  );
  return path.join(temp, tarball);
}

/** An environment whose PATH has Node, npm, a shell and curl, and nothing that compiles. */
function bareEnvironment() {
  const bin = path.join(temp, 'bin');
  fs.mkdirSync(bin);
  for (const tool of ['npm', 'sh', 'env', 'curl']) {
    const found = process.env.PATH.split(path.delimiter)
      .map((dir) => path.join(dir, tool))
      .find((file) => fs.existsSync(file));
    fs.symlinkSync(found ?? fail(`${tool} is missing`), path.join(bin, tool));
  }
  fs.symlinkSync(process.execPath, path.join(bin, 'node'));
  const env = { ...process.env, PATH: bin, npm_config_userconfig: '/dev/null' };
  for (const name of Object.keys(env)) {
    // Left behind by the npm that started us: they would point the inner npm at this project.
    if (
      /^(npm_(package|lifecycle)_|npm_config_(local_prefix|global_prefix)$|INIT_CWD$|NODE_PATH$)/.test(
        name,
      )
    ) {
      delete env[name];
    }
  }
  return env;
}

function install(tarball, env) {
  fs.mkdirSync(app);
  fs.writeFileSync(path.join(app, 'package.json'), JSON.stringify({ name: 'app', private: true }));
  const args = ['install', tarball, 'express', '--ignore-scripts', '--no-audit', '--no-fund'];
  execFileSync('npm', args, { cwd: app, env, stdio: 'inherit' });
  const expression =
    "require('node-gyp-build').resolve(require('path').dirname(require.resolve('fanline/package.json')))";
  const loaded = execFileSync(path.join(env.PATH, 'node'), ['-p', expression], {
    cwd: app,
    env,
    encoding: 'utf8',
  });
  if (!loaded.includes('prebuilds'))
    fail(`the addon comes from ${loaded.trim()}, not from prebuilds`);
  say(`installed without a compiler; the addon is ${path.relative(app, loaded.trim())}`);
}

/** What an app may have beside it. */
function add(env, packages) {
  const args = ['install', ...packages, '--ignore-scripts', '--no-audit', '--no-fund'];
  execFileSync('npm', args, { cwd: app, env, stdio: 'inherit' });
}

/** The README's first sample, on a free port, and the URLs it serves. */
function sample(port) {
  const readme = fs.readFileSync(path.join(ROOT, 'README.md'), 'utf8');
  const code = /^```js\n([\s\S]*?)^```/m.exec(readme)?.[1] ?? fail('README.md has no ```js block');
  const lines = code.trimEnd().split('\n').length;
  if (lines > SAMPLE_LINES) fail(`the README's sample has ${lines} lines, not ${SAMPLE_LINES}`);
  const route = (method) => {
    const match = new RegExp(`\\.${method}\\(\\s*['"\`]([^'"\`]+)`).exec(code);
    const query = [...code.matchAll(/req\.query\.(\w+)/g)].map(([, name]) => `${name}=lobby`);
    const suffix = method === 'get' && query.length ? `?${query.join('&')}` : '';
    const address = match?.[1] ?? fail(`the README's sample has no app.${method}('/path'`);
    return `http://127.0.0.1:${port}${address.replace(/:\w+/g, 'lobby')}${suffix}`;
  };
  const fields = [...code.matchAll(/req\.body\.(\w+)/g)].map(([, name]) => [name, PROOF]);
  const module = /^import /m.test(code);
  const file = path.join(app, module ? 'sample.mjs' : 'sample.cjs');
  fs.writeFileSync(file, code.replace(/\.listen\(\s*\d+/, `.listen(${port}`));
  return {
    file,
    stream: route('get'),
    post: route('post'),
    body: JSON.stringify({ text: PROOF, ...Object.fromEntries(fields) }),
    proof: code.includes('req.body') ? PROOF : '',
  };
}

const freePort = () =>
  new Promise((resolve) => {
    const server = net.createServer().listen(0, '127.0.0.1', () => {
      const { port } = server.address();
      server.close(() => resolve(port));
    });
  });

const listens = (port) =>
  new Promise((resolve) => {
    const socket = net.connect(port, '127.0.0.1');
    socket.on('connect', () => socket.destroy(resolve(true)));
    socket.on('error', () => resolve(false));
  });

function start(command, args, env) {
  const child = spawn(command, args, { cwd: app, env, stdio: ['ignore', 'pipe', 'pipe'] });
  children.push(child);
  child.text = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (chunk) => {
      child.text += chunk;
    });
  }
  return child;
}

async function runSample(env) {
  const port = await freePort();
  const { file, stream, post, body, proof } = sample(port);
  const server = start(path.join(env.PATH, 'node'), [file], env);
  const alive = () => server.exitCode === null || fail(`the sample ended:\n${server.text}`);
  await until('the sample listens', () => alive() && listens(port));
  const reader = start(path.join(env.PATH, 'curl'), ['-sSN', '--max-time', '60', stream], env);
  await until(`the stream ${stream} opens`, () => alive() && reader.text);
  const args = ['-sS', '--max-time', '10', '-o', '/dev/null', '-w', '%{http_code}', '-X', 'POST'];
  const type = ['-H', 'Content-Type: application/json'];
  const status = execFileSync(path.join(env.PATH, 'curl'), [...args, ...type, '-d', body, post], {
    env,
    encoding: 'utf8',
  });
  if (!/^2/.test(status)) fail(`POST ${post} answered ${status}:\n${server.text}`);
  const arrived = () =>
    reader.text.split('\n').some((line) => line.startsWith('data:') && line.includes(proof));
  await until(
    `the event arrives (so far: ${JSON.stringify(reader.text)})`,
    () => alive() && arrived(),
  );
  say(`the README's sample delivers: ${JSON.stringify(reader.text)}`);
}

async function main() {
  const tarball = pack();
  const env = bareEnvironment();
  install(tarball, env);
  await runSample(env);
  checkBare(app);
  say('without optional peers every entry loads, or says what it lacks');
  add(env, [...peers(), ...compilers(), '@types/node@20']);
  for (const entry of checkLoaded(app)) say(`import and require: ${entry}`);
  for (const line of checkTypes(app)) say(line);
  say('ok');
}

main()
  .catch((err) => {
    console.error(`pack: ${err.message}`);
    process.exitCode = 1;
  })
  .finally(() => {
    for (const child of children) child.kill('SIGKILL');
    fs.rmSync(temp, { recursive: true, force: true });
  });
