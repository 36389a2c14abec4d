'use strict';

// For check-pack.js: every entry of `exports`, in an app that has installed the tarball, with `import` and with `require`, without
// the optional peers and with them; and their types, as each TypeScript that we claim finds them.

const { spawnSync } = require('node:child_process');
const fs = require('node:fs');
const path = require('node:path');

const ROOT = path.join(__dirname, '..');
const TYPES = path.join(ROOT, 'test', 'types');
const own = (dir) => JSON.parse(fs.readFileSync(path.resolve(ROOT, dir, 'package.json'), 'utf8'));

const NEEDS_PARSER = ['fanline/client']; // to be loaded at all
const PEERS = ['eventsource-parser', 'fastify', '@nestjs/common', '@nestjs/core'];
const PEERS_OF_NEST = ['@nestjs/platform-express', 'reflect-metadata', 'rxjs'];

/** Package → range, as our own tests have it. */
function ranges() {
  const all = ['.', 'test/frameworks/fastify', 'test/frameworks/nest'].map((dir) => {
    const { devDependencies } = own(dir);
    return devDependencies;
  });
  return Object.assign({}, ...all);
}

function peers() {
  const range = ranges();
  return [...PEERS, ...PEERS_OF_NEST].map((name) => `${name}@${range[name]}`);
}

/** `fanline`, `fanline/client`, … */
function entries() {
  return Object.keys(own('.').exports)
    .filter((key) => !key.endsWith('.json'))
    .map((key) => `fanline${key.slice(1)}`);
}

// ---- what is loaded ----

/** Runs a program in the app; answers its exit code and all it has said. */
function runIn(app, name, source) {
  fs.writeFileSync(path.join(app, name), source);
  const child = spawnSync(process.execPath, [name], {
    cwd: app,
    encoding: 'utf8',
    timeout: 30_000,
  });
  return { code: child.status, out: child.stdout, err: child.stderr };
}

const NAMES =
  'console.log(Object.keys(it).filter((name) => !/^(default|__esModule|module.exports)$/.test(name)).sort().join());';
const LOADS = {
  'load.mjs': (entry) => `import * as it from '${entry}';\n${NAMES}`,
  'load.cjs': (entry) => `const it = require('${entry}');\n${NAMES}`,
};

/** @returns {string} the names it exports */
function namesOf(app, entry, file) {
  const { code, out, err } = runIn(app, file, LOADS[file](entry));
  if (code !== 0) throw new Error(`${entry} does not load in ${file}:\n${err}`);
  return out.trim();
}

function checkNames(app, entry) {
  const [imported, required] = Object.keys(LOADS).map((file) => namesOf(app, entry, file));
  const isDefault = required === '' || entry === 'fanline/fastify'; // a plugin, not a bag of names
  if (imported !== required && !isDefault) {
    throw new Error(`${entry}: import gives ${imported}, require gives ${required}`);
  }
  return `${entry} (${imported || 'default'})`;
}

/** Without its optional peers an entry loads, or says which package it lacks. */
function checkBare(app) {
  for (const entry of entries()) {
    if (!NEEDS_PARSER.includes(entry)) {
      checkNames(app, entry);
      continue;
    }
    for (const file of Object.keys(LOADS)) {
      const { code, err } = runIn(app, file, LOADS[file](entry));
      if (code === 0) throw new Error(`${entry} needs no eventsource-parser in ${file}?`);
      if (!err.includes("Cannot find package 'eventsource-parser'")) {
        throw new Error(`${entry} does not say what it lacks in ${file}:\n${err}`);
      }
    }
  }
  const source =
    "require('fanline/testing').open('http://127.0.0.1:1/').catch((err) => console.log(err.message));";
  const { out } = runIn(app, 'testing.cjs', source);
  if (!out.includes('npm install --save-dev eventsource-parser')) {
    throw new Error(`fanline/testing does not say what it lacks: ${out}`);
  }
}

// A stream of each server adapter, read by the testing kit and by the client.
const USE = `
async function main() {
  const hub = createHub({ heartbeat: false });
  const seen = [];

  const app = Fastify();
  app.register(plugin, { hub, grace: 0 });
  app.get('/', (_request, reply) => {
    reply.sse().send('fastify');
  });
  await app.listen({ port: 0, host: '127.0.0.1' });
  const source = new EventSource('http://127.0.0.1:' + app.server.address().port + '/');
  await new Promise((resolve) => {
    source.onmessage = ({ data }) => resolve(seen.push(data));
  });
  await app.close(); // first: a fetch that is aborted may open a connection anew, which Node's server would wait for
  source.close();

  class AppModule {}
  Module({ imports: [FanlineModule.forRoot({ grace: 0 })] })(AppModule);
  const nest = await NestFactory.create(AppModule, { logger: false });
  nest.use((req, res) => {
    nest.get(FanlineHub).connect(req, res).send('nest');
  });
  await nest.listen(0, '127.0.0.1');
  const stream = await open('http://127.0.0.1:' + nest.getHttpServer().address().port + '/');
  seen.push((await stream.next()).data);
  await closeAll();
  await nest.close();
  console.log(seen.join());
}
main();
`;
const IMPORTS = `
import 'reflect-metadata';
import { Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { createHub } from 'fanline';
import { EventSource } from 'fanline/client';
import plugin from 'fanline/fastify';
import { FanlineHub, FanlineModule } from 'fanline/nest';
import { closeAll, open } from 'fanline/testing';
import Fastify from 'fastify';
`;
const REQUIRES = IMPORTS.replace(/import (.*) from ('.*');/g, 'const $1 = require($2);').replace(
  /import ('.*');/,
  'require($1);',
);

function checkLoaded(app) {
  const list = entries().map((entry) => checkNames(app, entry));
  for (const [file, head] of Object.entries({ 'use.mjs': IMPORTS, 'use.cjs': REQUIRES })) {
    const { out, err } = runIn(app, file, head + USE);
    if (out !== 'fastify,nest\n') throw new Error(`${file} says ${JSON.stringify(out)}\n${err}`);
  }
  return list;
}

// ---- types ----

// The oldest that we claim, the one of our own tests, and the newest: an alias in the app for each.
const COMPILERS = {
  'typescript-oldest': '~5.0.4',
  typescript: null,
  'typescript-newest': '^7.0.2',
};

function compilers() {
  const { typescript } = ranges();
  return Object.entries(COMPILERS).map(
    ([alias, range]) => `${alias}@npm:typescript@${range ?? typescript}`,
  );
}

// Bundlers have no CommonJS of their own.
const RESOLUTIONS = {
  nodenext: { module: 'NodeNext', files: /\.[cm]ts$/ },
  node16: { module: 'Node16', files: /\.[cm]ts$/ },
  bundler: { module: 'ESNext', files: /\.mts$/ },
};

function compilerOptions(resolution) {
  return {
    target: 'ES2022',
    lib: ['ES2023'],
    module: RESOLUTIONS[resolution].module,
    moduleResolution: resolution,
    types: ['node'],
    strict: true,
    exactOptionalPropertyTypes: true,
    noUncheckedIndexedAccess: true,
    experimentalDecorators: true,
    emitDecoratorMetadata: true,
    noEmit: true,
  };
}

/** The programs of test/types, and of the adapters, in the app. @returns {string[]} their names */
function copyPrograms(app) {
  const dir = path.join(app, 'types');
  fs.mkdirSync(dir);
  const copy = (from, name) => fs.copyFileSync(from, path.join(dir, name));
  for (const name of fs.readdirSync(TYPES)) {
    if (/\.[cm]ts$/.test(name)) copy(path.join(TYPES, name), name);
  }
  for (const framework of ['fastify', 'nest']) {
    const tests = path.join(ROOT, 'test', 'frameworks', framework);
    for (const name of fs.readdirSync(tests)) {
      if (/^types\.[cm]ts$/.test(name)) copy(path.join(tests, name), `${framework}-${name}`);
    }
  }
  return fs.readdirSync(dir);
}

/** @returns {string[]} what was compiled, a line each */
function checkTypes(app) {
  const programs = copyPrograms(app);
  const done = [];
  for (const alias of Object.keys(COMPILERS)) {
    const compiler = path.join(app, 'node_modules', alias);
    const { version } = own(compiler);
    for (const [resolution, { files }] of Object.entries(RESOLUTIONS)) {
      const chosen = programs.filter((name) => files.test(name));
      checkProgram(app, path.join(compiler, 'bin', 'tsc'), compilerOptions(resolution), chosen);
      done.push(`TypeScript ${version}, ${resolution}: ${chosen.length} programs`);
    }
  }
  return done;
}

// The other frameworks' declarations are not ours to judge; with skipLibCheck ours would not be looked at either.
const NOT_OURS = /^node_modules\/(?!fanline\/)/;

function checkProgram(app, tsc, compilerOptions, programs) {
  const file = 'tsconfig.json';
  const files = programs.map((name) => `types/${name}`);
  fs.writeFileSync(path.join(app, file), JSON.stringify({ compilerOptions, files }));
  const args = [tsc, '-p', file, '--pretty', 'false', '--listFiles'];
  const { stdout, stderr } = spawnSync(process.execPath, args, { cwd: app, encoding: 'utf8' });
  const lines = `${stdout}${stderr}`.split('\n');
  const problems = lines.filter((line) => /error TS/.test(line) && !NOT_OURS.test(line));
  const looked = files.filter((name) => lines.some((line) => line.endsWith(`/app/${name}`)));
  if (looked.length < files.length) problems.push(`only ${looked.join(', ')} looked at`, stderr);
  if (problems.length > 0) {
    const { module, moduleResolution } = compilerOptions;
    throw new Error(`${tsc}, ${module}, ${moduleResolution}:\n${problems.join('\n')}`);
  }
}

module.exports = { checkBare, checkLoaded, checkTypes, compilers, peers };
