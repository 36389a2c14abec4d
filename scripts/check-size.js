'use strict';

// Files of at most 400 lines, C and C++ functions of at most 60. An exception is named here, with its
// limit and the reason.   node scripts/check-size.js [root]

const fs = require('node:fs');
const path = require('node:path');

const ROOT = path.resolve(process.argv[2] ?? path.join(__dirname, '..'));
const FILE_LINES = 400;
const FUNCTION_LINES = 60;

const FILE_EXCEPTIONS = {
  'types/index.d.ts': 600, // one declaration file is what editors show; mostly documentation
};
const FUNCTION_EXCEPTIONS = {
  // 'src/core/frame.c:fan_frame_new': 70,
};

const FOLDERS = ['src', 'lib', 'types', 'scripts', 'test', 'examples', 'bench'];
const SOURCE = /\.(c|h|cc|hh|js|mjs|cjs|ts|mts|sh|html|css)$/;
const SKIP = new Set(['node_modules', 'build', 'prebuilds', 'dist']);

function* walk(dir) {
  if (!fs.existsSync(dir)) return;
  for (const entry of fs.readdirSync(dir, { withFileTypes: true })) {
    if (SKIP.has(entry.name)) continue;
    const full = path.join(dir, entry.name);
    if (entry.isDirectory()) yield* walk(full);
    else if (SOURCE.test(entry.name)) yield full;
  }
}

/** The text without comments, strings and preprocessor lines, every line break kept. */
function bare(text) {
  const keepLines = (match) => match.replace(/[^\n]/g, ' ');
  return text
    .replace(/\/\*[\s\S]*?\*\/|\/\/[^\n]*|"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*'/g, keepLines)
    .replace(/^[ \t]*#(?:\\\n|[^\n])*/gm, keepLines);
}

/** The functions of a C or C++ file: a brace after a parameter list, outside any other function. */
function* functions(text) {
  const code = bare(text);
  const lineAt = (offset) => code.slice(0, offset).split('\n').length;
  let depth = 0; // of scopes that are not functions: namespace, class, extern "C"
  let inside = null;
  let statement = 0; // where the text since the last ; { } began
  for (let i = 0; i < code.length; i++) {
    const char = code[i];
    if (char === ';' && !inside) statement = i + 1;
    if (char === '{' && inside) inside.depth++;
    else if (char === '{') {
      const head = code.slice(statement, i);
      if (/\)\s*(const|noexcept|override|final|\s)*$/.test(head) && !/=\s*\(/.test(head)) {
        const name = /([\w:~]+)\s*\(/.exec(head)?.[1] ?? '?';
        inside = { name, first: lineAt(statement + head.search(/\S/)), depth: 1 };
      } else depth++;
      statement = i + 1;
    } else if (char === '}') {
      if (inside && --inside.depth === 0) {
        yield { name: inside.name, first: inside.first, lines: lineAt(i) - inside.first + 1 };
        inside = null;
      } else if (!inside) depth--;
      statement = i + 1;
    }
  }
  if (depth !== 0 || inside) throw new Error('braces do not match: the parser lost its way');
}

const problems = [];
let files = 0;
for (const folder of FOLDERS) {
  for (const file of walk(path.join(ROOT, folder))) {
    const name = path.relative(ROOT, file);
    const text = fs.readFileSync(file, 'utf8');
    const lines = text.split('\n').length - 1;
    files++;
    const limit = FILE_EXCEPTIONS[name] ?? FILE_LINES;
    if (lines > limit) problems.push(`${name}: ${lines} lines (at most ${limit})`);
    if (!/\.(c|h|cc|hh)$/.test(name)) continue;
    for (const found of functions(text)) {
      const most = FUNCTION_EXCEPTIONS[`${name}:${found.name}`] ?? FUNCTION_LINES;
      if (found.lines <= most) continue;
      problems.push(
        `${name}:${found.first}: ${found.name} has ${found.lines} lines (at most ${most})`,
      );
    }
  }
}

for (const problem of problems) console.error(problem);
console.log(`sizes: ${problems.length ? `${problems.length} too large` : 'ok'} (${files} files)`);
process.exitCode = problems.length ? 1 : 0;
