'use strict';

// Debian's nginx with its nchan module, in processes of its own; everything it writes is in a folder that goes with it.

const { execFileSync, spawn, spawnSync } = require('node:child_process');
const fs = require('node:fs');
const net = require('node:net');
const os = require('node:os');
const path = require('node:path');

const NGINX = '/usr/sbin/nginx'; // where Debian puts them
const NCHAN = '/usr/lib/nginx/modules/ngx_nchan_module.so';
const TEMPS = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'];
const START = 10_000; // ms, at most
const STOP = 1_500; // ms; then it is killed

/** Why it cannot run here. */
function missing() {
  const lacks = [NGINX, NCHAN].filter((file) => !fs.existsSync(file));
  return lacks.length > 0 ? `${lacks.join(' and ')} missing: npm run test:setup` : undefined;
}

/** @returns {{nginx: string, nchan: string}} */
function versions() {
  if (missing()) return {};
  const { stderr } = spawnSync(NGINX, ['-v'], { encoding: 'utf8' });
  return { nginx: /nginx\/(\S+)/.exec(stderr)?.[1], nchan: debianVersion('libnginx-mod-nchan') };
}

function debianVersion(name) {
  try {
    const line = execFileSync('dpkg-query', ['-W', name], { encoding: 'utf8' });
    return line.trim().split('\t')[1].replace(/^\d+:/, ''); // without its epoch
  } catch {
    return undefined; // not Debian's
  }
}

/** Each client is on the channel that all share, and on those that `rooms` of its query names. */
function configuration({ dir, port, workers, kept }) {
  const buffer = kept ? `nchan_message_buffer_length ${kept};` : 'nchan_store_messages off;';
  return `load_module ${NCHAN};
daemon off;
worker_processes ${workers};
worker_rlimit_nofile 20000;
pid ${dir}/pid;
error_log stderr error;
events { worker_connections 19000; }
http {
  access_log off;
  tcp_nodelay on;
  keepalive_requests 1000000000;
  ${TEMPS.map((name) => `${name}_temp_path ${dir}/${name};`).join(' ')}
  nchan_shared_memory_size 256m;
  map $arg_rooms $rooms { '' all; default all,$arg_rooms; }
  server {
    listen 127.0.0.1:${port} backlog=4096;
    location = /ping { return 200 pong; }
    location = /events {
      nchan_subscriber eventsource;
      nchan_subscriber_first_message newest;
      nchan_channel_id $rooms;
      nchan_channel_id_split_delimiter ',';
      ${buffer}
    }
    location = /publish {
      nchan_publisher http;
      nchan_channel_id $arg_room;
      nchan_message_timeout 10m;
      client_max_body_size 16m;
      client_body_buffer_size 1m;
      ${buffer}
    }
  }
}
`;
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

const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

class Nginx {
  /** @param {{workers?: number, kept?: number}} [options] kept: events that a room keeps for clients that come back */
  static async start({ workers = 1, kept = 0 } = {}) {
    const nginx = new Nginx();
    nginx.port = await freePort();
    nginx._dir = fs.mkdtempSync(path.join(os.tmpdir(), 'fanline-bench-'));
    fs.chmodSync(nginx._dir, 0o755); // for workers of another user, where root starts them
    const file = path.join(nginx._dir, 'nginx.conf');
    fs.writeFileSync(file, configuration({ dir: nginx._dir, port: nginx.port, workers, kept }));
    await nginx._run(file);
    return nginx;
  }

  async _run(file) {
    let said = '';
    // Its end is asked for when this process is killed, too.
    const nginx = [NGINX, '-p', this._dir, '-c', file, '-e', 'stderr'];
    this._child = spawn('setpriv', ['--pdeathsig', 'TERM', ...nginx], {
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    this._ended = new Promise((resolve) => this._child.once('close', resolve));
    this._child.stderr.setEncoding('utf8').on('data', (text) => {
      said = (said + text).slice(-10_000);
    });
    this._atExit = () => this._kill();
    process.once('exit', this._atExit);
    for (const end = Date.now() + START; !(await answers(this.port)); await sleep(20)) {
      if (this._child.exitCode === null && Date.now() < end) continue;
      await this.stop();
      throw new Error(`nginx does not start: ${said.trim()}`);
    }
  }

  /** The workers; the master process does nothing meanwhile. */
  pids() {
    const { pid } = this._child;
    const children = fs.readFileSync(`/proc/${pid}/task/${pid}/children`, 'latin1');
    return children.trim().split(/\s+/).map(Number);
  }

  async stop() {
    const timer = setTimeout(() => this._kill(), STOP);
    this._child.kill('SIGTERM');
    await this._ended;
    clearTimeout(timer);
    process.off('exit', this._atExit);
    fs.rmSync(this._dir, { recursive: true, force: true });
  }

  /** Workers outlive a master that is killed. */
  _kill() {
    for (const pid of [...this.pids(), this._child.pid]) {
      try {
        process.kill(pid, 'SIGKILL');
      } catch {
        // Already gone.
      }
    }
  }
}

module.exports = { Nginx, missing, versions };
