'use strict';

// Compiles the `ts` blocks of the pages (docs.js), all of them together, each as a module of its own that lies in the root.

const fs = require('node:fs');
const path = require('node:path');
const ts = require('typescript');
const { ROOT, blocksOf, isElsewhere, wordsOf } = require('./docs');

const LANGUAGES = ['ts', 'typescript'];
const PACKAGES = path.join(ROOT, 'test', 'docs');
const REFUSED = /\/\/ refused$/;
const MODES = {
  node16: { module: ts.ModuleKind.Node16, moduleResolution: ts.ModuleResolutionKind.Node16 },
  bundler: { module: ts.ModuleKind.ESNext, moduleResolution: ts.ModuleResolutionKind.Bundler },
};
const OPTIONS = {
  target: ts.ScriptTarget.ES2022,
  lib: ['lib.es2023.d.ts', 'lib.dom.d.ts', 'lib.dom.iterable.d.ts'],
  types: ['node'],
  strict: true,
  noEmit: true,
  skipLibCheck: true,
  experimentalDecorators: true,
};

/** What a page may take for granted with `needs`. */
const NEEDS = {
  hub: "import('fanline').Hub",
  req: "import('node:http').IncomingMessage",
  res: "import('node:http').ServerResponse",
  controller: 'AbortController',
  fetchEventSource: "typeof import('@microsoft/fetch-event-source').fetchEventSource",
  AppModule: 'new () => object',
  Bun: `{ serve(options: {
    fetch(request: Request, server: { timeout(request: Request, seconds: number): void }): Response | Promise<Response>;
  }): unknown }`,
  Deno: '{ serve(handler: (request: Request) => Response | Promise<Response>): unknown }',
};

/** @returns {{file: string, page: string, line: number, source: string, from: string, before: number}[]} */
function modulesOf(page, text) {
  return blocksOf(text)
    .filter((block) => LANGUAGES.includes(block.language) && !isElsewhere(block))
    .map(({ line, code, notes }) => {
      const needs = wordsOf(notes.needs).map((name) => {
        if (!(name in NEEDS)) throw new Error(`${page}, line ${line}: nobody declares ${name}`);
        return `declare const ${name}: ${NEEDS[name].replace(/\n\s*/g, ' ')};\n`;
      });
      return {
        file: path.join(ROOT, `${page.replaceAll(/[^\w]/g, '-')}-${line}.mts`),
        page,
        line,
        source: `${needs.join('')}${code}`,
        before: needs.length,
        from: notes.packages ? path.join(ROOT, notes.packages) : PACKAGES,
      };
    });
}

const files = new Map(); // of the libraries: parsed once, whatever refers to them

function compile(modules, mode) {
  const options = { ...OPTIONS, ...mode };
  const ours = new Map(modules.map((module) => [module.file, module]));
  const host = ts.createCompilerHost(options);
  const { getSourceFile, fileExists, readFile } = host;
  host.fileExists = (file) => ours.has(file) || fileExists(file);
  host.readFile = (file) => ours.get(file)?.source ?? readFile(file);
  host.getSourceFile = (file, ...rest) => {
    const parsed = files.get(file) ?? getSourceFile(file, ...rest);
    if (!ours.has(file) && mode === MODES.node16) files.set(file, parsed);
    return parsed;
  };
  host.resolveModuleNameLiterals = (literals, file, redirected, settings, source) =>
    literals.map((literal) => {
      const kind = ts.getModeForUsageLocation(source, literal, settings);
      const find = (from) =>
        ts.resolveModuleName(literal.text, from, settings, host, undefined, redirected, kind);
      const found = find(file);
      const from = ours.get(file)?.from;
      return found.resolvedModule || !from ? found : find(path.join(from, 'index.mts'));
    });
  const program = ts.createProgram([...ours.keys()], options, host);
  return [...ours.values()].flatMap((module) => problemsOf(module, program));
}

/** What the compiler says about a module, by the line of its page; of lines that it should refuse, that it does not. */
function problemsOf({ file, page, line, source, before }, program) {
  const parsed = program.getSourceFile(file);
  const found = [
    ...program.getSyntacticDiagnostics(parsed),
    ...program.getSemanticDiagnostics(parsed),
  ];
  const at = (start) => parsed.getLineAndCharacterOfPosition(start).line;
  const lines = source.split('\n');
  const refused = new Set(lines.keys());
  for (const index of refused) if (!REFUSED.test(lines[index])) refused.delete(index);
  const said = new Set(found.map(({ start }) => at(start)));
  const name = (index) => `${page}, line ${line + 1 + index - before}`;
  return [
    ...found
      .filter(({ start }) => !refused.has(at(start)))
      .map(({ start, messageText }) => {
        return `${name(at(start))}: ${ts.flattenDiagnosticMessageText(messageText, '\n')}`;
      }),
    ...[...refused].filter((index) => !said.has(index)).map((index) => `${name(index)}: is taken`),
  ];
}

/** @returns {Object<string, string[]>} problems by mode */
function typeProblems(modules) {
  return Object.fromEntries(
    Object.entries(MODES).map(([name, mode]) => [name, compile(modules, mode)]),
  );
}

/** The folders of packages that are asked for, and are not there. */
function missingPackages(modules) {
  const wanted = [...new Set(modules.map(({ from }) => from))];
  return wanted.filter((from) => !fs.existsSync(path.join(from, 'node_modules')));
}

module.exports = { LANGUAGES, missingPackages, modulesOf, typeProblems };
