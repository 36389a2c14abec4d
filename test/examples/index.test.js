'use strict';

const assert = require('node:assert/strict');
const { execFile, spawnSync } = require('node:child_process');
const { once } = require('node:events');
const fs = require('node:fs');
const net = require('node:net');
const os = require('node:os');
const path = require('node:path');
const { promisify } = require('node:util');
const { lacksPackages } = require('./support/example-page');
const { ROOT, Runner, run } = require('./support/runner');

const EXAMPLES = path.join(ROOT, 'examples');
const names = fs
  .readdirSync(EXAMPLES, { withFileTypes: true })
  .filter((entry) => entry.isDirectory() && entry.name !== 'shared')
  .map((entry) => entry.name)
  .filter((name) =>
    fs.readdirSync(path.join(EXAMPLES, name)).some((file) => file !== 'node_modules'),
  );
const readme = fs.readFileSync(path.join(EXAMPLES, 'README.md'), 'utf8');
const read = (name, file) => fs.readFileSync(path.join(EXAMPLES, name, file), 'utf8');

/** The status that curl is answered with, streams included. */
async function statusOf(command) {
  const options = "-sk -o /dev/null -w '%{http_code}' --max-time 1";
  const line = command.replace(/^curl /, `curl ${options} `);
  const { stdout } = await promisify(execFile)('sh', ['-c', `${line} || true`], { cwd: ROOT });
  return stdout;
}

/** What a README says first to try: the one line, without its comment, at the example's own address. */
function firstCurl(name, address) {
  const [line] = /^curl .*$/m.exec(read(name, 'README.md')) ?? [];
  assert.ok(line, `${name}/README.md has a curl line`);
  return line.replace(/ +# .*$/, '').replace(/(https?:\/\/)?localhost:3000/, address);
}

describe('examples', () => {
  describe('README.md', () => {
    for (const name of names) {
      it(`has a row for ${name}, whose links lead somewhere`, () => {
        const row = readme.split('\n').find((line) => line.startsWith(`| [${name}](`));
        assert.ok(row, `no row for ${name}`);
        const links = [...row.matchAll(/\]\(([^)#]+)/g)].map(([, link]) => link);
        for (const link of links) assert.ok(fs.existsSync(path.join(EXAMPLES, link)), link);
        const [, , shows] = row.split('|');
        assert.ok(shows.trim().length > 20, row);
      });
    }

    it('has no row for what does not exist', () => {
      const listed = [...readme.matchAll(/^\| \[([\w-]+)\]/gm)].map(([, name]) => name);
      assert.deepEqual(
        listed.filter((name) => !names.includes(name)),
        [],
      );
    });
  });

  describe('lock files', () => {
    const locked = names.filter((name) => fs.existsSync(path.join(EXAMPLES, name, 'package.json')));
    for (const name of locked) {
      it(`${name}: fanline is this clone, and no address of a registry is in it`, () => {
        const { packages } = JSON.parse(read(name, 'package-lock.json'));
        assert.equal(packages['node_modules/fanline'].link, true);
        const addresses = Object.values(packages).map(({ resolved = '' }) => resolved);
        assert.deepEqual(
          addresses.filter((each) => each.includes('://')),
          [],
        );
      });
    }
  });

  describe('npm run example', () => {
    it('lists all of them, each with what it shows', () => {
      const { stdout, status } = spawnSync('npm', ['run', '--silent', 'example'], {
        cwd: ROOT,
        encoding: 'utf8',
      });
      assert.equal(status, 0);
      const listed = [...stdout.matchAll(/^ {2}([\w-]+) +\S/gm)].map(([, name]) => name);
      assert.deepEqual(listed, [...names].sort());
    });

    it('names the nearest one when there is none of that name', async () => {
      const { code, err, out } = await run(['rooom']);
      assert.deepEqual([code, out], [1, '']);
      assert.equal(err, 'There is no example "rooom". Did you mean "rooms"?\n');
    });

    it('names all when none is near', async () => {
      const { code, err } = await run(['../../../etc/passwd']);
      assert.equal(code, 1);
      assert.match(err, /^There is no example .* There are: .*rooms.*\n$/);
    });

    it('says in one line that the port is taken', async () => {
      const server = net.createServer().listen(0);
      await once(server, 'listening');
      const { port } = server.address();
      const { code, err } = await run(['rooms'], { env: { PORT: String(port) } });
      server.close();
      assert.equal(code, 1);
      assert.match(err, new RegExp(`^Port ${port} is in use\\..*\\n$`));
    });

    for (const name of names) {
      it(`starts ${name}, which answers, and ends with 0 at SIGTERM`, async function () {
        this.timeout(60_000);
        const advice = lacksPackages(name);
        if (advice) {
          if (process.env.CI === 'true') throw new Error(advice);
          console.log(`  not run: ${advice}`);
          this.skip();
        }
        const runner = new Runner([name]);
        try {
          const address = await runner.address(50_000);
          const page = await statusOf(`curl ${address}/`);
          if (page !== '200') assert.equal(await statusOf(firstCurl(name, address)), '200');
          runner.child.kill('SIGTERM');
          assert.equal(await runner.exit, 0, runner.err);
          // Node 22 says that its SQLite is experimental.
          assert.equal(
            runner.err.replace(/^\(node:\d+\) ExperimentalWarning: SQLite.*\n.*\n/, ''),
            '',
          );
        } finally {
          await runner.close();
        }
      });
    }
  });

  describe('an example with packages of its own', () => {
    let dir;
    const lock = (name, packages) =>
      JSON.stringify({ name, lockfileVersion: 3, requires: true, packages });
    const put = (file, text) => {
      fs.mkdirSync(path.dirname(path.join(dir, file)), { recursive: true });
      fs.writeFileSync(path.join(dir, file), text);
    };
    const start = () => run(['page'], { dir });

    beforeEach(() => {
      dir = fs.mkdtempSync(path.join(os.tmpdir(), 'fanline-examples-'));
      fs.copyFileSync(path.join(EXAMPLES, 'run.js'), path.join(dir, 'run.js'));
      put('README.md', '');
      put(
        'page/server.js',
        'console.log(require("./dist/page.js"), require("word"), process.argv[2] ?? "-");',
      );
      put('page/word/package.json', '{ "name": "word", "version": "1.0.0" }');
      put('page/word/index.js', 'module.exports = "word";');
      put('page/page.js', 'module.exports = "first";');
      const build =
        "node -e \"fs.mkdirSync('dist',{recursive:true});fs.copyFileSync('page.js','dist/page.js')\"";
      const dependencies = { word: 'file:word' };
      put('page/package.json', JSON.stringify({ name: 'page', scripts: { build }, dependencies }));
      put(
        'page/package-lock.json',
        lock('page', {
          '': { name: 'page', dependencies },
          'node_modules/word': { resolved: 'word', link: true },
          word: { version: '1.0.0' },
        }),
      );
    });
    afterEach(() => fs.rmSync(dir, { recursive: true }));

    it('is installed and built the first time, and says so; afterwards it only starts', async () => {
      const first = await start();
      assert.equal(first.code, 0, first.err);
      const [install, ...rest] = first.out.trim().split('\n');
      assert.match(install, /^page: installs its packages, once \(npm ci /);
      assert.deepEqual(rest.slice(-2), [
        'page: builds its page (npm run --silent build)',
        'first word -',
      ]);
      const { out } = await run(['page', 'more'], { dir });
      assert.equal(out, 'first word more\n');
    });

    it('is built again when a source has changed', async () => {
      await start();
      put('page/page.js', 'module.exports = "second";');
      fs.utimesSync(path.join(dir, 'page/page.js'), new Date(), new Date(Date.now() + 2_000));
      const { out } = await start();
      assert.equal(out, 'page: builds its page (npm run --silent build)\nsecond word -\n');
    });

    it('does not start when its packages cannot be installed, and says where to look', async () => {
      put('page/package-lock.json', '{');
      const { code, out, err } = await start();
      assert.equal(code, 1);
      assert.doesNotMatch(out, /builds/);
      assert.match(
        err,
        /page: that failed\. Put it right in examples\/page, then start it again\.\n$/,
      );
    });

    it('does not start when its page cannot be built', async () => {
      fs.rmSync(path.join(dir, 'page/page.js'));
      const { code, err } = await start();
      assert.equal(code, 1);
      assert.match(err, /page: that failed/);
    });
  });
});
