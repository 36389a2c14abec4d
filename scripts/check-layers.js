'use strict';

// The arrows of the architecture, checked: addon -> io -> core, and lib on top. Nothing includes upward or
// sideways, the core includes only the C library (no socket, thread or clock), and lib requires only lib,
// Node and the declared dependencies.   node scripts/check-layers.js [root]

const fs = require('node:fs');
const { builtinModules } = require('node:module');
const path = require('node:path');

const ROOT = path.resolve(process.argv[2] ?? path.join(__dirname, '..'));

/** For each layer: the layers it may include, and which system headers are (not) for it. */
const PURE_C =
  /^(assert|ctype|errno|float|inttypes|limits|math|stdalign|stdarg|stdbool|stddef|stdint|stdio|stdlib|stdnoreturn|string)\.h$/;
const NODE = /^(node|napi|js_native|uv|v8)/;
const SYSTEM =
  /\/|^(unistd|pthread|poll|fcntl|signal|netdb|threads|time)\.h$|^(thread|mutex|chrono)$/;
const LAYERS = {
  core: { may: ['core'], system: (name) => PURE_C.test(name) },
  io: { may: ['io', 'core'], system: (name) => !NODE.test(name) },
  addon: { may: ['addon', 'io', 'core'], system: (name) => !SYSTEM.test(name) },
};

const problems = [];
const complain = (file, line, what) =>
  problems.push(`${path.relative(ROOT, file)}:${line}: ${what}`);

function filesUnder(dir, wanted) {
  if (!fs.existsSync(dir)) return [];
  return fs
    .readdirSync(dir, { recursive: true })
    .map((name) => path.join(dir, name))
    .filter((file) => wanted.test(file) && fs.statSync(file).isFile());
}

const lines = (file) => fs.readFileSync(file, 'utf8').split('\n').entries();

/** The layer that `#include "name"` of `file` reaches, as the compiler would look for it. */
function layerOf(file, name) {
  const found = [path.dirname(file), path.join(ROOT, 'src')]
    .map((dir) => path.join(dir, name))
    .find((candidate) => fs.existsSync(candidate));
  return found ? path.relative(path.join(ROOT, 'src'), found).split(path.sep)[0] : null;
}

function checkIncludes(layer, file) {
  const { may, system } = LAYERS[layer];
  for (const [index, line] of lines(file)) {
    const match = /^\s*#\s*include\s*(?:<([^>]+)>|"([^"]+)")/.exec(line);
    if (!match) continue;
    const [, angled, quoted] = match;
    if (angled && !system(angled))
      complain(file, index + 1, `${layer} may not include <${angled}>`);
    if (!quoted) continue;
    const reached = layerOf(file, quoted);
    if (!may.includes(reached)) {
      complain(
        file,
        index + 1,
        `${layer} may not include "${quoted}" (${reached ?? 'not found in src'})`,
      );
    }
  }
}

function checkRequires(file, dependencies) {
  const lib = path.join(ROOT, 'lib');
  const pattern = /(?:\brequire\(|\bimport\(|\bfrom\s+|^\s*import\s+)['"]([^'"]+)['"]/g;
  for (const [index, line] of lines(file)) {
    if (/^\s*(\/\/|\*|\/\*)/.test(line)) continue;
    for (const [, name] of line.matchAll(pattern)) {
      if (name.startsWith('.')) {
        const target = path.resolve(path.dirname(file), name);
        if (target === lib || target.startsWith(lib + path.sep)) continue;
      } else if (name.startsWith('node:') || builtinModules.includes(name)) {
        continue;
      } else {
        const owner = name.split('/', name.startsWith('@') ? 2 : 1).join('/');
        if (dependencies.has(owner)) continue;
      }
      complain(file, index + 1, `lib may not require '${name}'`);
    }
  }
}

for (const layer of Object.keys(LAYERS)) {
  const sources = filesUnder(path.join(ROOT, 'src', layer), /\.(c|h|cc|hh)$/);
  for (const file of sources) checkIncludes(layer, file);
}
const manifest = JSON.parse(fs.readFileSync(path.join(ROOT, 'package.json'), 'utf8'));
const dependencies = new Set(
  Object.keys({ ...manifest.dependencies, ...manifest.peerDependencies }),
);
for (const file of filesUnder(path.join(ROOT, 'lib'), /\.(js|mjs|cjs)$/)) {
  checkRequires(file, dependencies);
}

for (const problem of problems) console.error(problem);
console.log(`layers: ${problems.length ? `${problems.length} broken` : 'ok'}`);
process.exitCode = problems.length ? 1 : 0;
