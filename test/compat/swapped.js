'use strict';

// A file with one change: the name of the package. CommonJS has its imports written as it does.

const fs = require('node:fs');
const path = require('node:path');

const BUILD = path.join(__dirname, 'build');

/**
 * @param {string} file
 * @param {string} name of the copy; `.cjs` brings `require`
 * @param {string} [library] what is imported
 * @returns {string} where the copy is
 */
function swapped(file, name, library = 'fanline/compat/better-sse') {
  const text = fs.readFileSync(file, 'utf8').replaceAll("'better-sse'", `'${library}'`);
  const requires = text.replace(/^import (.+) from ('.+');$/gm, 'const $1 = require($2);');
  fs.mkdirSync(BUILD, { recursive: true });
  const copy = path.join(BUILD, name);
  fs.writeFileSync(copy, name.endsWith('.cjs') ? requires : text);
  return copy;
}

module.exports = { swapped };
