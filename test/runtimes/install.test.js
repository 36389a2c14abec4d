'use strict';

// fanline as Bun and Deno find it where npm has put it: every import, with `import` and with `require`, and the addon with it.

const assert = require('node:assert/strict');
const { spawn } = require('node:child_process');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const { RUNTIMES, within } = require('./support/runtime');

const ROOT = path.join(__dirname, '..', '..');

const IMPORT = `
import { createHub } from 'fanline';
import { open } from 'fanline/testing';
import { EventSource } from 'fanline/client';
`;
const REQUIRE = `
const { createHub } = require('fanline');
const { open } = require('fanline/testing');
const { EventSource } = require('fanline/client');
`;
const READ = `
async function main() {
  const { createServer } = process.getBuiltinModule('node:http');
  const hub = createHub({ heartbeat: false });
  const app = (req, res) => {
    hub.connect(req, res).send('hello');
  };
  const stream = await open(app, '/');
  console.log((await stream.next()).data);
  await stream.close();
  const server = createServer(app);
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  const source = new EventSource('http://127.0.0.1:' + server.address().port + '/');
  source.onmessage = async ({ data }) => {
    console.log(data);
    source.close();
    await hub.close({ grace: 0 });
    server.close();
  };
}
main();
`;
const PROGRAMS = { 'app.mjs': IMPORT + READ, 'app.cjs': REQUIRE + READ };

describe('fanline in node_modules', () => {
  let app;

  before(() => {
    app = fs.mkdtempSync(path.join(os.tmpdir(), 'fanline-runtimes-'));
    const copy = (from, to) =>
      fs.cpSync(path.join(ROOT, from), path.join(app, 'node_modules', to), { recursive: true });
    for (const name of ['package.json', 'lib', 'build/Release']) copy(name, `fanline/${name}`);
    for (const name of ['node-gyp-build', 'eventsource-parser']) copy(`node_modules/${name}`, name);
    fs.writeFileSync(path.join(app, 'package.json'), '{ "private": true }');
    for (const name in PROGRAMS) fs.writeFileSync(path.join(app, name), PROGRAMS[name]);
  });
  after(() => fs.rmSync(app, { recursive: true }));

  for (const runtime of RUNTIMES) {
    for (const name in PROGRAMS) {
      it(`serves, and is read by fanline/testing and fanline/client: ${runtime.name}, ${name}`, async () => {
        const child = spawn(runtime.command, [...runtime.program, name], { cwd: app });
        let said = '';
        for (const stream of [child.stdout, child.stderr]) {
          stream.setEncoding('utf8').on('data', (text) => {
            said += text;
          });
        }
        const ended = new Promise((resolve) => child.on('close', resolve));
        try {
          const code = await within(ended, 'ended');
          assert.equal(said, 'hello\nhello\n');
          assert.equal(code, 0);
        } finally {
          child.kill('SIGKILL');
        }
      });
    }
  }
});
