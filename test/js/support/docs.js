'use strict';

// The pages, and the blocks of code in them. Every fenced block has a language, and every language a way of being checked:
//
//   js            a program: runs in a process of its own, which must end by itself with 0 and without a word on stderr.
//                 Its packages are the root's and those of test/docs; `import … from` works too (docs-run.js)
//   ts            compiled, strict, as node16 and as bundlers do; a line that ends with `// refused` must not (docs-types.js)
//   sh            parses; the scripts and files that it names exist; its curl lines are run against a server. `curl -N` is a
//                 stream and stays open while the lines below it are run; `<id>` is the "id" of an answer before it
//                 (docs-shell.js, docs-curl.js)
//   json, yaml    is parsed
//   text          what the js or sh block before it prints; `…` stands for anything within a line
//   http          lines that are among what the sh block before it prints, in any order
//   all others    need `sample` or `tested by`
//
// HTML comments, which no reader sees, say what else there is:
//
//   <!-- needs: hub app -->      before js, ts: names that it uses and does not define (docs-preamble.js, docs-types.js)
//   <!-- continues -->           before js: runs behind the block before it, in the same scope
//   <!-- then                    behind js: code that runs after it, in the same scope; the names of `tools` (see
//   ... -->                      docs-preamble.js) are there too
//   <!-- server -->              before js: the curl lines below ask this program (without its `then`)
//   <!-- server: examples/x -->  before any block: they ask this example; in an example's README it goes without saying
//   <!-- expects: 401 -->        before sh: the status that its curl lines are answered; several, one for each line
//   <!-- packages: test/x -->    before ts: where packages are that neither the root nor test/docs has
//   <!-- shows: what -->         before text, http: something that nothing prints, a drawing say
//   <!-- sample: file -->        before any block: it is a part of that file of an example or a test
//   <!-- tested by: file -->     before any block: a test reads it out of the page, which it names
//
// Others are not allowed, so that a misspelt one does not go unnoticed.

const fs = require('node:fs');
const path = require('node:path');

const ROOT = path.join(__dirname, '..', '..', '..');
const PART = /^ *<!-- *([\s\S]*?) *-->|^( *)```(.*)\n([\s\S]*?)^\2```$/gm;
const NOTE =
  /^(needs|continues|server|expects|packages|shows|sample|tested by)(?:: *(\S[\s\S]*))?$/;
const BARE = ['continues', 'server']; // notes that say enough without a value
const PROGRAMS = ['js', 'javascript'];

/** Every page there is, as a path from the root. */
const PAGES = [
  ...['README.md', 'CONTRIBUTING.md', 'CHANGELOG.md'],
  ...fs.readdirSync(path.join(ROOT, 'docs'), { recursive: true }).map((file) => `docs/${file}`),
  ...fs.readdirSync(path.join(ROOT, 'examples')).map((name) => `examples/${name}/README.md`),
  'examples/README.md',
].filter((file) => file.endsWith('.md') && fs.existsSync(path.join(ROOT, file)));

const textOf = (page) => fs.readFileSync(path.join(ROOT, page), 'utf8');

/** A block belongs to nobody's output, unless it comes next behind a block that prints. */
function attach(block, last) {
  const prints = [...PROGRAMS, 'sh'].includes(last?.language);
  if (prints && last.output === null && !('shows' in block.notes)) {
    if (block.language === 'text') last.output = block.code.trim();
    else if (block.language === 'http' && last.language === 'sh') last.lines = block.code.trim();
    else return;
    block.isOutput = true;
  }
}

/**
 * @param {string} text of a page
 * @returns {{blocks: object[], problems: string[]}} what is no block, and no note to one, is a problem
 */
function partsOf(text) {
  const blocks = [];
  const problems = [];
  let notes = {};
  for (const { 0: all, 1: comment, 2: indent, 3: language, 4: body, index } of text.matchAll(
    PART,
  )) {
    const line = text.slice(0, index).split('\n').length;
    const [, name, value] = NOTE.exec(comment ?? '') ?? [];
    if (comment?.startsWith('then\n') && blocks.length) blocks.at(-1).check = comment.slice(5);
    else if (name && (value || BARE.includes(name))) notes[name] = value ?? '';
    else if (comment !== undefined) problems.push(`line ${line}: no such note: ${all}`);
    else {
      const code = body.replace(new RegExp(`^${indent}`, 'gm'), '');
      const block = { line, language, code, notes, check: '', output: null };
      attach(block, blocks.at(-1));
      blocks.push(block);
      notes = {};
    }
  }
  for (const name of Object.keys(notes)) problems.push(`the note “${name}” has no block below it`);
  const fences = text.replace(PART, '').match(/^[\s>*+-]*(```|~~~)/gm);
  if (fences) problems.push('a block is not closed, or closed elsewhere than it begins');
  return { blocks, problems };
}

const blocksOf = (text) => partsOf(text).blocks;
const isElsewhere = ({ notes }) => 'sample' in notes || 'tested by' in notes;
const wordsOf = (note) => note?.split(/\s+/) ?? [];

/**
 * The programs of a page.
 * @returns {{line: number, source: string, needs: string[], check: string, output: string|null, block: object}[]}
 */
function programsOf(text) {
  const programs = [];
  for (const block of blocksOf(text)) {
    if (!PROGRAMS.includes(block.language) || isElsewhere(block)) continue;
    const { line, code, notes, check, output } = block;
    const program = { line, source: code, needs: wordsOf(notes.needs), check, output, block };
    if ('continues' in notes) {
      const { source, needs } = programs.at(-1);
      program.source = `${source}\n${code}`;
      program.needs = [...new Set([...needs, ...program.needs])];
    }
    programs.push(program);
  }
  return programs;
}

module.exports = {
  PAGES,
  PROGRAMS,
  ROOT,
  blocksOf,
  isElsewhere,
  partsOf,
  programsOf,
  textOf,
  wordsOf,
};
