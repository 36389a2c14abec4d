'use strict';

const fs = require('node:fs');
const path = require('node:path');
const { merged } = require('./merge');
const { reportOf } = require('./report');
const { UsageError } = require('./options');

const BENCH = path.join(__dirname, '..');
const DOCS = path.join(BENCH, '..', 'docs', 'performance');
const FORMAT = 2;

/** Writes the report of a results file beside it, charts in a folder of the same name. @returns {string[]} what was written */
function writeReport(file, found, scenarios) {
  const stem = file.replace(/\.json$/, '');
  return writeFiles(reportOf(found, scenarios, path.basename(stem)), `${stem}.md`, stem);
}

/** The same for the documentation: docs/performance/*.svg and all tables in one page. */
function writeDocs(found, scenarios, folder = DOCS) {
  return writeFiles(reportOf(found, scenarios, '.'), path.join(folder, 'measured.md'), folder);
}

function writeFiles({ text, charts }, page, folder) {
  fs.mkdirSync(path.dirname(page), { recursive: true });
  fs.writeFileSync(page, text);
  const names = Object.keys(charts);
  if (names.length > 0) fs.mkdirSync(folder, { recursive: true });
  for (const name of names) fs.writeFileSync(path.join(folder, name), charts[name]);
  return [page, ...names.map((name) => path.join(folder, name))];
}

/** Numbers with 6 digits, and pairs on one line: series have thousands of them. */
function compact(found) {
  const rounded = (_key, value) =>
    typeof value === 'number' && !Number.isInteger(value) ? Number(value.toPrecision(6)) : value;
  const text = JSON.stringify({ format: FORMAT, ...found }, rounded, 1);
  return `${text.replace(/\[\s+(-?[\d.e+-]+),\s+(-?[\d.e+-]+)\s+\]/g, '[$1, $2]')}\n`;
}

/** @returns {string} the path of a new results file */
function writeResults(found, folder = path.join(BENCH, 'results'), suffix = '') {
  const file = path.join(folder, `${found.started.replace(/[:.]/g, '-')}${suffix}.json`);
  fs.mkdirSync(folder, { recursive: true });
  fs.writeFileSync(file, compact(found));
  return file;
}

function readOne(file) {
  let found;
  try {
    found = JSON.parse(fs.readFileSync(file, 'utf8'));
  } catch (err) {
    throw new UsageError(`${file}: ${err.message}`);
  }
  if (found.format === FORMAT) return found;
  throw new UsageError(`${file} is not what npm run bench has written`);
}

/** @param {string[]} files  of one run, or of several that are one together */
function readResults(files) {
  if (files.length === 0) throw new UsageError('which results file? See --help');
  return merged(files.map(readOne));
}

module.exports = { readResults, writeDocs, writeReport, writeResults };
