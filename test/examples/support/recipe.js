'use strict';

// A program of a recipe as the server that it is, and pages of its origin in Chromium.

const path = require('node:path');
const { blocksOf, programsOf, textOf } = require('../../js/support/docs');
const { serve } = require('../../js/support/docs-run');

const PARTS = {
  '/fanline/': path.dirname(require.resolve('../../../lib/browser/client.mjs')),
  '/eventsource-parser/': path.dirname(require.resolve('eventsource-parser')),
};
const IMPORTS = {
  'fanline/client': '/fanline/client.mjs',
  'eventsource-parser': '/eventsource-parser/index.js',
};
const HEAD = `<!doctype html><title>A page</title><link rel="icon" href="data:,">
<script type="importmap">${JSON.stringify({ imports: IMPORTS })}</script>`;

/** The first program of a page that has these words. */
function programWith(page, words) {
  const program = programsOf(textOf(page)).find(({ source }) => source.includes(words));
  if (!program) throw new Error(`${page} has no program with ${JSON.stringify(words)}`);
  return program;
}

/** The code of a page's blocks of that language. */
const codeOf = (page, language) =>
  blocksOf(textOf(page)).flatMap((block) => (block.language === language ? [block.code] : []));

/**
 * @param {object} program of programWith
 * @param {object} [changes]
 * @param {Record<string, string>} [changes.instead] what must be there → what the test needs in its place
 * @param {string} [changes.more] code behind the program, in its scope
 * @returns {Promise<{base: string, close(): Promise<void>}>}
 */
function serveRecipe(program, { instead = {}, more = '' } = {}) {
  let { source } = program;
  for (const [words, others] of Object.entries(instead)) {
    if (!source.includes(words)) throw new Error(`the program has no ${JSON.stringify(words)}`);
    source = source.replace(words, others);
  }
  return serve({ ...program, source: `${source}\n${more}` });
}

/** Lets a context find pages at an origin whose server has none, and fanline/client beside them. `pages`: path → HTML. */
async function hostPages(context, base, pages) {
  for (const [at, html] of Object.entries(pages)) {
    const answer = { contentType: 'text/html', body: HEAD + html };
    await context.route(
      (url) => url.origin === base && url.pathname === at,
      (route) => route.fulfill(answer),
    );
  }
  for (const [prefix, folder] of Object.entries(PARTS)) {
    await context.route(
      (url) => url.origin === base && url.pathname.startsWith(prefix),
      (route) => {
        const file = new URL(route.request().url()).pathname.slice(prefix.length);
        return route.fulfill({ path: path.join(folder, file), contentType: 'text/javascript' });
      },
    );
  }
}

module.exports = { HEAD, PARTS, codeOf, hostPages, programWith, serveRecipe };
