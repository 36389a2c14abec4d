'use strict';

// What every block of the pages has to be, whatever its language (docs.js), and what needs no process to be checked.

const fs = require('node:fs');
const path = require('node:path');
const { PROGRAMS, ROOT, partsOf } = require('./docs');
const { LANGUAGES: TYPED } = require('./docs-types');

const SHOWN = ['text', 'http'];

const PARSERS = {
  json: (code) => JSON.parse(code),
  yaml(code) {
    const { parseAllDocuments } = require('../../docs/node_modules/yaml');
    for (const { errors } of parseAllDocuments(code)) if (errors.length > 0) throw errors[0];
  },
};

/** yaml is read with a package of test/docs. */
const needsPackages = ({ language }) => language === 'yaml';
const hasPackages = fs.existsSync(path.join(ROOT, 'test', 'docs', 'node_modules'));

/** Lines without what they are indented by: a part of a file may stand elsewhere than in it. */
const unindented = (code) => code.replace(/^[ \t]+/gm, '').trim();

function fileProblem(note, file, isRight, otherwise) {
  const full = path.join(ROOT, file);
  if (!fs.existsSync(full)) return `${note}: there is no ${file}`;
  return isRight(fs.readFileSync(full, 'utf8')) ? null : `${note}: ${file} ${otherwise}`;
}

/** @returns {string|null} */
function problemOfBlock(block, page) {
  const { language, code, notes } = block;
  const { sample, 'tested by': test } = notes;
  if (language === '') return 'it has no language; what is no code is `text`';
  if (sample) {
    const has = (text) => unindented(text).includes(unindented(code));
    return fileProblem('sample', sample, has, 'has other lines');
  }
  if (test) {
    const names = (text) => text.includes(path.basename(page));
    return fileProblem('tested by', test, names, `does not name ${path.basename(page)}`);
  }
  if (Object.hasOwn(PARSERS, language)) {
    try {
      PARSERS[language](code);
      return null;
    } catch (err) {
      return `it does not parse: ${err.message}`;
    }
  }
  if (SHOWN.includes(language)) {
    if (block.isOutput || notes.shows) return null;
    return 'nothing prints it: it stands behind no `js` or `sh` block, and no comment says what it shows';
  }
  if ([...PROGRAMS, ...TYPED, 'sh'].includes(language)) return null;
  return `nobody knows how ${language} is checked: say \`sample\` or \`tested by\``;
}

/** @returns {string[]} everything that is wrong with a page’s blocks and notes */
function blockProblems(page, text) {
  const { blocks, problems } = partsOf(text);
  for (const block of blocks) {
    if (needsPackages(block) && !hasPackages) continue;
    const problem = problemOfBlock(block, page);
    if (problem) problems.push(`line ${block.line}: ${problem}`);
  }
  return problems;
}

module.exports = { blockProblems };
