'use strict';

const fs = require('node:fs');
const path = require('node:path');
const ts = require('typescript');
const { describeSample } = require('../support/rooms');

const SAMPLE = path.join(__dirname, 'sample.mts');
const PROGRAM = path.join(__dirname, 'build', 'sample.mjs');

/** As `nest build` does with what the page shows. */
function build() {
  const compilerOptions = {
    target: ts.ScriptTarget.ES2022,
    module: ts.ModuleKind.ESNext,
    experimentalDecorators: true,
    emitDecoratorMetadata: true,
  };
  const { outputText } = ts.transpileModule(fs.readFileSync(SAMPLE, 'utf8'), { compilerOptions });
  fs.mkdirSync(path.dirname(PROGRAM), { recursive: true });
  fs.writeFileSync(PROGRAM, outputText);
}

before(build);
describeSample(SAMPLE, { program: PROGRAM, how: 'SIGTERM' }); // which Nest sends itself when all is closed
