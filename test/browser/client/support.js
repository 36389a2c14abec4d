'use strict';

// A page with the client in Chromium, and its server as a child process that can be killed, stopped and started again.

const { spawn } = require('node:child_process');
const { once } = require('node:events');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const { launch, missing } = require('../support/browser');

const ROOT = path.join(__dirname, '..', '..', '..');

/** Minified, as a page would get it. @returns {Buffer} */
function bundle(entry, options) {
  const built = require('esbuild').buildSync({
    entryPoints: [entry],
    bundle: true,
    minify: true,
    format: 'esm',
    target: 'es2022',
    write: false,
    ...options,
  });
  return Buffer.from(built.outputFiles[0].contents);
}

class Server {
  static async start(file, port = 0) {
    const server = new Server();
    server._child = spawn(process.execPath, [path.join(__dirname, 'server.js'), port, file]);
    server._child.stderr.pipe(process.stderr);
    const [line] = await once(server._child.stdout, 'data');
    server.port = Number(line);
    server.url = `http://localhost:${server.port}`;
    return server;
  }

  signal(name) {
    this._child.kill(name);
  }

  async kill() {
    if (this._child.exitCode !== null || this._child.signalCode !== null) return;
    this._child.kill('SIGKILL');
    await once(this._child, 'exit');
  }

  async ask(what) {
    const response = await fetch(this.url + what);
    return response.text();
  }

  async state() {
    return JSON.parse(await this.ask('/seen'));
  }
}

/** Resolves with what `condition()` answers, once that is true. */
async function when(condition, what = 'the condition', ms = 10_000) {
  const limit = Date.now() + ms;
  for (;;) {
    const value = await condition();
    if (value) return value;
    if (Date.now() > limit) throw new Error(`${what} did not come true in ${ms} ms`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

class Tab {
  constructor(page) {
    this.page = page;
    this.problems = [];
    page.on('pageerror', (error) => this.problems.push(error));
  }

  follow(name, url, options = {}) {
    return this.page.evaluate((args) => window.follow(...args), [name, url, options]);
  }

  log(name) {
    return this.page.evaluate((it) => window.log(it), name);
  }

  close(name) {
    return this.page.evaluate((it) => window.close_(it), name);
  }

  /** Waits for the `count`th event of that type. */
  async until(name, type, count = 1, ms = undefined) {
    let log;
    const found = async () => {
      log = await this.log(name);
      return log.filter((event) => event.type === type)[count - 1];
    };
    try {
      return await when(found, `${name}: ${type} no. ${count}`, ms);
    } catch (err) {
      err.message += `; it has told ${JSON.stringify(log)}`;
      throw err;
    }
  }

  async types(name) {
    return (await this.log(name)).map(({ type }) => type);
  }
}

/** To be called inside a `describe`: `it.tab` and `it.server` are fresh for each test. */
function useClient() {
  const it = {};
  let browser;
  let dir;
  before(async function () {
    const lacks = missing();
    if (lacks) {
      const advice = `the browser client's tests need ${lacks}. Install with: npm run test:setup`;
      if (process.env.CI === 'true') throw new Error(advice);
      console.log(`  not run: ${advice}`);
      this.skip();
    }
    dir = fs.mkdtempSync(path.join(os.tmpdir(), 'fanline-client-'));
    it.file = path.join(dir, 'page.js');
    fs.writeFileSync(it.file, bundle(path.join(__dirname, 'page.js')));
    browser = await launch();
  });
  after(async () => {
    await browser?.close();
    if (dir) fs.rmSync(dir, { recursive: true, force: true });
  });

  beforeEach(async () => {
    it.server = await Server.start(it.file);
    it.context = await browser.newContext();
    it.tab = new Tab(await it.context.newPage());
    await it.tab.page.goto(it.server.url);
    await it.tab.page.waitForFunction('window.isReady');
  });
  afterEach(async () => {
    await it.context?.close();
    await it.server?.kill();
    const { problems } = it.tab;
    if (problems.length > 0) throw problems[0];
  });
  return it;
}

module.exports = { ROOT, Server, bundle, useClient, when };
