'use strict';

// npm run lint: format and style of C and JavaScript, layers, sizes. `npm run lint -- --fix` formats.

const { spawnSync } = require('node:child_process');
const fs = require('node:fs');
const path = require('node:path');

const ROOT = path.join(__dirname, '..');
const FIX = process.argv.includes('--fix');

function cFiles() {
  return ['src', 'test/c', 'test/counts', 'test/fuzz', 'test/storm', 'bench']
    .filter((dir) => fs.existsSync(path.join(ROOT, dir)))
    .flatMap((dir) =>
      fs.readdirSync(path.join(ROOT, dir), { recursive: true }).map((name) => path.join(dir, name)),
    )
    .filter((name) => /\.(c|h|cc|hh)$/.test(name) && !name.includes('node_modules'));
}

const biome = path.join('test', 'lint', 'node_modules', '@biomejs', 'biome', 'bin', 'biome');
const steps = [
  {
    name: 'clang-format',
    command: 'clang-format',
    args: [...(FIX ? ['-i'] : ['--dry-run', '--Werror']), ...cFiles()],
    cure: 'apt-get install clang-format',
  },
  {
    name: 'biome',
    command: process.execPath,
    args: [biome, 'check', '--error-on-warnings', ...(FIX ? ['--write'] : []), '.'],
    needs: biome,
    cure: 'npm run test:setup',
  },
  { name: 'layers', command: process.execPath, args: ['scripts/check-layers.js'] },
  { name: 'sizes', command: process.execPath, args: ['scripts/check-size.js'] },
];

let failed = 0;
for (const { name, command, args, needs, cure } of steps) {
  const absent = needs && !fs.existsSync(path.join(ROOT, needs));
  const { status, error } = absent
    ? { error: { code: 'ENOENT' } }
    : spawnSync(command, args, { cwd: ROOT, stdio: ['ignore', 'inherit', 'inherit'] });
  if (error?.code === 'ENOENT') console.error(`lint: ${name} is missing: ${cure}`);
  else if (error) console.error(`lint: ${name}: ${error.message}`);
  if (status === 0) continue;
  failed++;
  console.error(`lint: ${name} failed`);
}
console.log(
  failed ? `lint: ${failed} of ${steps.length} failed` : `lint: ok (${steps.length} checks)`,
);
process.exitCode = failed ? 1 : 0;
