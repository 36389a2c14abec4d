'use strict';

// What the compiler says of a package's TypeScript, as a user would have it checked.

const ts = require('typescript');

const OPTIONS = {
  target: ts.ScriptTarget.ES2022,
  module: ts.ModuleKind.NodeNext,
  moduleResolution: ts.ModuleResolutionKind.NodeNext,
  lib: ['lib.es2023.d.ts'],
  types: ['node'],
  strict: true,
  exactOptionalPropertyTypes: true,
  experimentalDecorators: true,
  emitDecoratorMetadata: true,
  preserveSymlinks: true, // or our types would look for the framework's in this project, where they are not
  noEmit: true,
};
const OURS = /\/node_modules\/fanline\/types\//;

/** @returns {string[]} one line for each problem, in these files and in our declarations */
function problemsOf(files) {
  const program = ts.createProgram(files, OPTIONS);
  const looked = program
    .getSourceFiles()
    .filter(({ fileName }) => files.includes(fileName) || OURS.test(fileName));
  const found = looked.flatMap((file) => ts.getPreEmitDiagnostics(program, file));
  const list = new Set(found.map((it) => ts.formatDiagnostic(it, HOST).trim()));
  return [...list];
}

const HOST = {
  getCurrentDirectory: () => process.cwd(),
  getCanonicalFileName: (name) => name,
  getNewLine: () => '\n',
};

module.exports = { problemsOf };
