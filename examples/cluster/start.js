'use strict';

// Starts everything, and keeps it: Redis (or uses that of REDIS_URL), three processes (server.js) and nginx in front of them.
// Whatever dies comes back a few seconds later, so that one sees both. Ctrl-C ends all of it.

const { fork } = require('node:child_process');
const { once } = require('node:events');
const fs = require('node:fs');
const net = require('node:net');
const os = require('node:os');
const path = require('node:path');
const { Part } = require('./part');

const PORT = Number(process.env.PORT || 3000);
const AGAIN = Number(process.env.AGAIN || 5_000); // ms from the end of a process to its next start
const NAMES = ['A', 'B', 'C'];
const PACKAGES = { 'redis-server': 'redis-server', nginx: 'nginx-light' };
const CONF = path.join(__dirname, 'nginx.conf');

const parts = new Map(); // name → Part
const folder = { dir: null, log: null };
let sweeper = null;
let isEnding = false;

function refuse(message) {
  console.error(message);
  process.exit(1);
}

// ---- what is needed ----------------------------------------------------------------------------

/** Debian has nginx where only root looks for it. */
function find(command) {
  const dirs = [...(process.env.PATH ?? '').split(path.delimiter), '/usr/sbin', '/usr/local/sbin'];
  return dirs.map((dir) => path.join(dir, command)).find((file) => fs.existsSync(file));
}

function findAll(commands) {
  const found = Object.fromEntries(commands.map((command) => [command, find(command)]));
  const missing = commands.filter((command) => found[command] === undefined);
  if (missing.length > 0) {
    const packages = missing.map((command) => PACKAGES[command]).join(' ');
    refuse(`This example needs ${missing.join(' and ')}. On Debian: apt-get install ${packages}`);
  }
  return found;
}

/** @returns {Promise<number[]>} those ports, a free one in place of each 0; rejects when one is taken */
async function portsOf(wanted) {
  const servers = wanted.map((port) => net.createServer().listen(port, '127.0.0.1'));
  await Promise.all(servers.map((server) => once(server, 'listening')));
  const ports = servers.map((server) => server.address().port);
  for (const server of servers) server.close();
  return ports;
}

/** What a server answers to a line; null: nobody listens. */
function ask(port, line) {
  return new Promise((resolve) => {
    const socket = net.connect(port, '127.0.0.1', () => socket.write(`${line}\r\n\r\n`));
    socket.setTimeout(1_000, () => socket.destroy());
    socket.once('data', (chunk) => socket.destroy(resolve(String(chunk))));
    socket.on('error', () => {}).on('close', () => resolve(null));
  });
}

// ---- the parts ---------------------------------------------------------------------------------

function redis(command, port) {
  const dir = path.join(folder.dir, 'redis');
  fs.mkdirSync(dir);
  const options = {
    ...{ port, bind: '127.0.0.1', dir, save: '' },
    ...{ appendonly: 'yes', appendfsync: 'always' }, // what it has accepted is on the disk
  };
  const args = Object.entries(options).flatMap(([name, value]) => [`--${name}`, String(value)]);
  return new Part({
    name: 'redis',
    address: `127.0.0.1:${port}`,
    command: [command, ...args],
    works: async () => (await ask(port, 'PING'))?.startsWith('+PONG') === true,
    again: AGAIN,
  });
}

function server(name, port, redisUrl) {
  const part = new Part({
    name,
    address: `127.0.0.1:${port}`,
    command: [process.execPath, path.join(__dirname, 'server.js')],
    env: { NAME: name, NAMES: NAMES.join(), PORT: String(port), REDIS_URL: redisUrl },
    hasChannel: true,
    works: async ({ isReady }) => isReady,
    again: AGAIN,
  });
  part.on('message', ({ isReady, kill }) => {
    if (isReady) part.isReady = true;
    if (kill !== undefined) parts.get(kill)?.kill('SIGKILL');
  });
  part.on('down', () => {
    part.isReady = false;
  });
  return part;
}

/** nginx.conf as it is, but for the ports. */
function nginx(command, port, ports) {
  const own = [port, ...ports];
  const changed = fs
    .readFileSync(CONF, 'utf8')
    .replaceAll(/127\.0\.0\.1:(300\d)/g, (_, number) => `127.0.0.1:${own[number - 3000]}`);
  const conf = path.join(folder.dir, 'nginx.conf');
  fs.writeFileSync(conf, changed);
  return new Part({
    name: 'nginx',
    address: `127.0.0.1:${port}`,
    command: [command, '-p', folder.dir, '-c', conf, '-e', 'stderr'],
    works: async () => (await ask(port, 'HEAD /shared/base.css HTTP/1.0')) !== null,
    again: AGAIN,
  });
}

/** From now on it is watched, and what it says is in the log. */
function keep(part) {
  if (isEnding) throw new Error('It is ending');
  parts.set(part.name, part);
  let ups = 0;
  part.on('changed', tellSweeper);
  part.on('line', (line) => writeLog(`${part.name.padEnd(5)} | ${line}\n`));
  part.on('up', (pid) => {
    ups += 1;
    if (ups > 1) console.log(`${part.name} is back: pid ${pid}`);
  });
  part.on('down', (pid, how) => {
    if (isEnding || ups === 0) return;
    console.log(`${part.name} (pid ${pid}) has ended: ${how}. It is started again in ${AGAIN} ms.`);
  });
  return part.start();
}

function writeLog(line) {
  if (folder.dir !== null) fs.appendFileSync(folder.log, line);
}

function tellSweeper() {
  const pids = [...parts.values()].map(({ pid }) => pid).filter((pid) => pid !== undefined);
  if (sweeper.connected) sweeper.send({ pids, dir: folder.dir });
}

// ---- from the start to the end -----------------------------------------------------------------

async function start() {
  const { REDIS_URL } = process.env;
  const commands = findAll(REDIS_URL ? ['nginx'] : ['redis-server', 'nginx']);
  const [port, redisPort, ...ports] = await portsOf([PORT, 0, 0, 0, 0]).catch((err) => {
    const taken = `Port ${PORT} is in use. Choose another: PORT=${PORT + 10} npm run example -- cluster`;
    return refuse(err.code === 'EADDRINUSE' ? taken : err.message);
  });
  folder.dir = fs.mkdtempSync(path.join(os.tmpdir(), 'fanline-cluster-'));
  fs.chmodSync(folder.dir, 0o755); // where this runs as root, the workers of nginx are somebody else
  folder.log = path.join(folder.dir, 'log');
  sweeper = fork(path.join(__dirname, 'sweeper.js'), { detached: true, stdio: 'ignore' });

  if (!REDIS_URL) await keep(redis(commands['redis-server'], redisPort));
  const url = REDIS_URL || `redis://127.0.0.1:${redisPort}`;
  await Promise.all(NAMES.map((name, i) => keep(server(name, ports[i], url))));
  await keep(nginx(commands.nginx, port, ports));

  console.log(`Cluster is open at http://localhost:${port}\n`);
  for (const { name, pid, address } of parts.values()) {
    console.log(`  ${name.padEnd(6)} pid ${String(pid).padEnd(8)} ${address}`);
  }
  if (REDIS_URL) console.log(`  redis  ${REDIS_URL}`);
  console.log(`  log    ${folder.log}\n`);
  console.log(
    `  kill -9 ${parts.get('B').pid}, or a button of the page, and see where its tabs go\n`,
  );
}

async function end() {
  if (isEnding) return;
  isEnding = true;
  const servers = NAMES.map((name) => parts.get(name)).filter(Boolean);
  await Promise.all(servers.map((part) => part.stop())); // they still need the others
  for (const name of ['nginx', 'redis']) await parts.get(name)?.stop();
  if (folder.dir !== null) fs.rmSync(folder.dir, { recursive: true, force: true });
  folder.dir = null;
  sweeper?.disconnect();
}

for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(name, end);

start().catch(async (err) => {
  if (isEnding) return;
  console.error(err.message);
  process.exitCode = 1;
  await end();
});
