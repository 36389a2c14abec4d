'use strict';

// Runs the programs in a page of docs/. A fenced `js` block is a program and runs in a process of its own, which must end by
// itself with 0 and without a word on stderr. HTML comments, which no reader sees, say what else there is:
//
//   <!-- needs: hub app -->   before a block: names that it uses and does not define (see docs-preamble.js)
//   <!-- continues -->        before a block: runs behind the block before it, in the same scope
//   <!-- then                 behind a block: code that runs after it, in the same scope; the names of `tools` (see
//   ... -->                   docs-preamble.js) are there too
//
// A fenced `text` block behind a block is what it prints; `…` stands for anything within a line.

const { spawn } = require('node:child_process');
const fs = require('node:fs');
const path = require('node:path');

const ROOT = path.join(__dirname, '..', '..', '..');
const ENV = {
  GRACE: '1000', // what pages read with a longer default
  NODE_PATH: path.join(ROOT, 'test', 'docs', 'node_modules'),
};
const PREAMBLE = './test/js/support/docs-preamble';
const PART = /^<!-- *([\s\S]*?) *-->|^```(\w*)\n([\s\S]*?)^```$/gm;

/** Every page there is, as a path from the root. */
const PAGES = [
  ...['README.md', 'CONTRIBUTING.md', 'CHANGELOG.md'],
  ...fs.readdirSync(path.join(ROOT, 'docs'), { recursive: true }).map((file) => `docs/${file}`),
  ...fs.readdirSync(path.join(ROOT, 'examples')).map((name) => `examples/${name}/README.md`),
].filter((file) => file.endsWith('.md') && fs.existsSync(path.join(ROOT, file)));

/**
 * @param {string} text of a page
 * @returns {{line: number, source: string, needs: string[], check: string, output: string|null}[]}
 */
function programsOf(text) {
  const programs = [];
  let notes = { needs: [], continues: false };
  for (const { 0: all, 1: comment, 2: language, 3: code, index } of text.matchAll(PART)) {
    const last = programs.at(-1);
    if (comment?.startsWith('needs:')) notes.needs = comment.slice(6).trim().split(/\s+/);
    else if (comment === 'continues') notes.continues = true;
    else if (comment?.startsWith('then\n')) last.check = comment.slice(5);
    else if (language === 'text' && last?.isOpen) last.output = code.trim();
    if (language === 'js') {
      const line = text.slice(0, index).split('\n').length;
      const program = { line, source: code, check: '', output: null, isOpen: true, ...notes };
      if (notes.continues) {
        program.source = `${last.source}\n${code}`;
        program.needs = [...new Set([...last.needs, ...notes.needs])];
      }
      programs.push(program);
      notes = { needs: [], continues: false };
    } else if (all.startsWith('```') && last) {
      last.isOpen = false; // whatever comes later does not belong to it
    }
  }
  return programs;
}

/** Static `import` and `export`, which only modules have, as what means the same within a function. */
function withoutStatements(source) {
  return source
    .replace(/^import ([\s\S]*?) from ('[^']*'|"[^"]*");?$/gm, (_, names, from) => {
      const [, own, rest] = /^(\w+)?,? *([\s\S]*)$/.exec(names);
      const all = rest.startsWith('*') ? rest.split(' as ')[1] : null;
      const list = rest.startsWith('{') ? rest.slice(1, -1).replaceAll(' as ', ': ') : '';
      const entries = own ? `{ default: ${own}, ${list} }` : `{ ${list} }`;
      return `const ${all ?? entries} = await import(${from});`;
    })
    .replace(/^import ('[^']*'|"[^"]*");?$/gm, 'await import($1);')
    .replace(/^export (default )?(?=(async )?function|class|const|let)/gm, '');
}

/** The whole program, with what it needs in front of it. */
function scriptOf({ source, needs, check }) {
  return `
    const { provide, tools } = require(${JSON.stringify(PREAMBLE)});
    (async ({ ${needs.join(', ')} }) => {
      ${withoutStatements(source)}
      await (async ({ ${['assert', 'open', 'once', 'when', 'url'].join(', ')} }) => {
        ${check}
      })(tools);
      tools.end();
    })(provide(${JSON.stringify(needs)}));`;
}

/** Does `printed` match, `…` being anything within a line? */
function isPrinted(printed, expected) {
  const escaped = expected.replace(/[.*+?^${}()|[\]\\]/g, '\\$&').replaceAll('…', '.*');
  return new RegExp(`^${escaped}$`).test(printed);
}

/** @returns {Promise<string|null>} what is wrong with a program, null: nothing */
function problemOf(program, ms = 10_000) {
  return new Promise((resolve) => {
    const child = spawn(process.execPath, ['-e', scriptOf(program)], {
      cwd: ROOT,
      env: { ...process.env, ...ENV },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let out = '';
    let err = '';
    let isLate = false;
    child.stdout.setEncoding('utf8').on('data', (text) => {
      out += text;
    });
    child.stderr.setEncoding('utf8').on('data', (text) => {
      err += text;
    });
    const timer = setTimeout(() => {
      isLate = true;
      child.kill('SIGKILL');
    }, ms);
    child.on('close', (code, signal) => {
      clearTimeout(timer);
      const { output } = program;
      if (isLate) resolve(`it has not ended after ${ms} ms; it printed ${JSON.stringify(out)}`);
      else if (code !== 0 || err) resolve(`it ended with ${code ?? signal}: ${err}`);
      else if (output !== null && !isPrinted(out.trim(), output)) resolve(`it printed:\n${out}`);
      else resolve(null);
    });
  });
}

module.exports = { PAGES, problemOf, programsOf };
