'use strict';

// Servers of other makes, in processes of their own: Python's http.server, Go's net/http, and nginx with nchan.

const { execFile, spawn, spawnSync } = require('node:child_process');
const { once } = require('node:events');
const fs = require('node:fs');
const net = require('node:net');
const os = require('node:os');
const path = require('node:path');
const { promisify } = require('node:util');
const { when } = require('./support');

// Where Debian puts them.
const NGINX = '/usr/sbin/nginx';
const NCHAN = '/usr/lib/nginx/modules/ngx_nchan_module.so';

function hasNchan() {
  return fs.existsSync(NGINX) && fs.existsSync(NCHAN);
}

class Process {
  constructor(command, args, options) {
    this.child = spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'], ...options });
    this.said = '';
    this._ended = once(this.child, 'exit');
    for (const stream of [this.child.stdout, this.child.stderr]) {
      stream.setEncoding('utf8').on('data', (text) => {
        this.said += text;
      });
    }
  }

  alive() {
    if (this.child.exitCode !== null) throw new Error(`it ended: ${this.said}`);
    return true;
  }

  async close(signal = 'SIGTERM') {
    this.child.kill(signal);
    await this._ended;
  }
}

async function startPython() {
  const server = new Process('python3', [path.join(__dirname, 'server.py')]);
  await when(() => server.alive() && server.said.endsWith('\n'), 'Python listens');
  return Object.assign(server, { url: `http://127.0.0.1:${Number(server.said)}/` });
}

function hasGo() {
  return spawnSync('go', ['version']).status === 0;
}

/** What is built of server.go, until `close`. It needs nothing but Go's own library. */
async function buildGo() {
  const dir = fs.mkdtempSync(path.join(os.tmpdir(), 'fanline-go-'));
  const program = path.join(dir, 'server');
  // Where it keeps what it has compiled is below HOME. Nothing is fetched.
  const own = { GO111MODULE: 'off', GOFLAGS: '', GOPROXY: 'off', GOTOOLCHAIN: 'local' };
  const env = { HOME: os.homedir(), ...process.env, ...own };
  const args = ['build', '-o', program, path.join(__dirname, 'server.go')];
  await promisify(execFile)('go', args, { env });
  return {
    /** @param {number} [port] where one was that is no more */
    async start(port = 0) {
      const server = new Process(program, [`127.0.0.1:${port}`]);
      const listens = () => /^listens (\d+)\n/.exec(server.said);
      await when(() => server.alive() && listens() !== null, 'the Go program listens');
      return Object.assign(server, { port: Number(listens()[1]) });
    },
    close: () => fs.rmSync(dir, { recursive: true, force: true }),
  };
}

function freePort() {
  return new Promise((resolve) => {
    const server = net.createServer().listen(0, '127.0.0.1', () => {
      const { port } = server.address();
      server.close(() => resolve(port));
    });
  });
}

const answers = (port) =>
  new Promise((resolve) => {
    const socket = net.connect(port, '127.0.0.1');
    socket.on('connect', () => socket.destroy(resolve(true))).on('error', () => resolve(false));
  });

/** nginx with a channel: what is posted to /pub goes to everybody who listens at /sub. */
async function startNchan() {
  const dir = fs.mkdtempSync(path.join(os.tmpdir(), 'fanline-nchan-'));
  const port = await freePort();
  const temps = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'];
  fs.writeFileSync(
    path.join(dir, 'nginx.conf'),
    `load_module ${NCHAN};
    daemon off;
    worker_processes 1;
    pid ${dir}/pid;
    error_log stderr;
    events {}
    http {
      access_log off;
      ${temps.map((name) => `${name}_temp_path ${dir}/${name};`).join('\n')}
      server {
        listen 127.0.0.1:${port};
        location = /pub { nchan_publisher; nchan_channel_id test; nchan_message_buffer_length 100; }
        location = /sub { nchan_subscriber eventsource; nchan_channel_id test; nchan_eventsource_ping_interval 1; }
      }
    }`,
  );
  const nginx = new Process(NGINX, ['-p', dir, '-c', path.join(dir, 'nginx.conf'), '-e', 'stderr']);
  await when(async () => nginx.alive() && (await answers(port)), 'nginx listens', 10_000);
  return {
    port,
    async publish(body, event) {
      const headers = event === undefined ? {} : { 'X-EventSource-Event': event };
      const url = `http://127.0.0.1:${port}/pub`;
      const response = await fetch(url, { method: 'POST', body, headers });
      await response.arrayBuffer();
      if (response.status >= 300) throw new Error(`nchan answered ${response.status}`);
    },
    async close() {
      await nginx.close();
      fs.rmSync(dir, { recursive: true, force: true });
    },
  };
}

module.exports = { buildGo, hasGo, hasNchan, startNchan, startPython };
