'use strict';

// Debian's nginx in a process of its own, with the blocks that docs/ shows. What a page cannot know (ports, where a
// certificate is) is put in by `snippet`. Needs no root.

const { spawn } = require('node:child_process');
const fs = require('node:fs');
const net = require('node:net');
const os = require('node:os');
const path = require('node:path');
const { when } = require('../../js/support/stage');

const NGINX = '/usr/sbin/nginx'; // where Debian puts it
const ROOT = path.join(__dirname, '..', '..', '..');
const TLS = path.join(ROOT, 'test', 'js', 'support');
const TEMPS = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'];

/** For `before`: skips where there is no nginx, but fails in CI. */
function needNginx(test) {
  if (fs.existsSync(NGINX)) return;
  if (process.env.CI === 'true') throw new Error('nginx is missing: npm run test:setup');
  console.log('  not run: these tests need nginx. Install with: npm run test:setup');
  test.skip();
}

/** The fenced blocks of a language in a page of docs/, in order. */
function blocksOf(page, language) {
  const text = fs.readFileSync(path.join(ROOT, 'docs', page), 'utf8');
  const fence = new RegExp(`^\`\`\`${language}\\n([\\s\\S]*?)^\`\`\`$`, 'gm');
  return [...text.matchAll(fence)].map(([, block]) => block);
}

/** Replaces each key of `by` in `text`; one that is not there is an error: the page has changed. */
function replaced(text, by) {
  let changed = text;
  for (const [what, other] of Object.entries(by)) {
    if (!changed.includes(what)) throw new Error(`the page's block has no ${what}`);
    changed = changed.replaceAll(what, other);
  }
  return changed;
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

class Nginx {
  /**
   * @param {string} http what is within `http {}`; `$PORT` stands for the port to listen on
   * @param {{port?: number, main?: string}} [options] `main`: what is outside of it, `events {}` too
   */
  static async start(http, { port, main = 'events { worker_connections 256; }' } = {}) {
    const nginx = new Nginx();
    nginx.port = port ?? (await freePort());
    nginx._dir = fs.mkdtempSync(path.join(os.tmpdir(), 'fanline-nginx-'));
    fs.chmodSync(nginx._dir, 0o755); // for workers of another user, where the tests run as root
    nginx._conf = path.join(nginx._dir, 'nginx.conf');
    fs.writeFileSync(
      nginx._conf,
      `daemon off;
      worker_processes 1;
      pid ${nginx._dir}/pid;
      error_log stderr;
      ${main}
      http {
        access_log off;
        ${TEMPS.map((name) => `${name}_temp_path ${nginx._dir}/${name};`).join('\n')}
        ${http.replaceAll('$PORT', String(nginx.port))}
      }`,
    );
    await nginx._run();
    return nginx;
  }

  async _run() {
    this.said = '';
    this._child = spawn(NGINX, ['-p', this._dir, '-c', this._conf, '-e', 'stderr'], {
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    this._exit = new Promise((resolve) => this._child.once('exit', resolve));
    this._child.stderr.setEncoding('utf8').on('data', (text) => {
      this.said += text;
    });
    let listens = false;
    while (!listens) {
      if (this._child.exitCode !== null) throw new Error(`nginx has ended: ${this.said}`);
      listens = await answers(this.port);
      if (!listens) await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }

  /** Ends it, connections and all; `restart` starts it on the same port. */
  async stop() {
    this._child.kill('SIGTERM');
    await this._exit;
  }

  async restart() {
    await this._run();
  }

  async close() {
    await this.stop();
    fs.rmSync(this._dir, { recursive: true, force: true });
  }
}

const CERTIFICATE = {
  '/etc/ssl/example.com.crt': path.join(TLS, 'tls.crt'),
  '/etc/ssl/example.com.key': path.join(TLS, 'tls.key'),
};

module.exports = { CERTIFICATE, Nginx, blocksOf, freePort, needNginx, replaced, when };
