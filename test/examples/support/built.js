'use strict';

// Builds of an example's page beside the one that it has: for development, and for a server.

const { execFile } = require('node:child_process');
const fs = require('node:fs');
const path = require('node:path');
const { promisify } = require('node:util');
const { Cafe, EXAMPLES } = require('./cafe');
const { lacksPackages, openPage, useBrowser } = require('./example-page');

/** To be called inside a describe. What is built is gone after each test. */
function useBuilt(name) {
  const own = useBrowser();
  const dir = path.join(EXAMPLES, name);
  const made = [];
  let place;

  before(function () {
    if (lacksPackages(name)) this.skip(); // describeCafe has said so
  });
  afterEach(async () => {
    for (const context of own.browser.contexts()) await context.close();
    await place?.close();
    place = undefined;
    for (const folder of made.splice(0)) fs.rmSync(folder, { recursive: true });
  });

  async function build({ mode = 'production', ...options }) {
    // Within the example: what is built for a server looks for its packages there.
    const outDir = fs.mkdtempSync(path.join(dir, 'node_modules', '.built-'));
    made.push(outDir);
    const script = `import { build } from 'vite'; await build(${JSON.stringify({
      root: dir,
      mode,
      logLevel: 'error',
      build: { outDir, emptyOutDir: false, ...options },
    })});`;
    const args = ['--input-type=module', '-e', script];
    await promisify(execFile)(process.execPath, args, {
      cwd: dir,
      env: { ...process.env, NODE_ENV: mode },
    });
    return outDir;
  }

  return {
    /** @returns {Promise<string>} the folder of the page */
    page: (options) => build({ minify: false, ...options }),

    /** One file and what it imports, for Node. */
    async module(file) {
      const folder = await build({
        ssr: file,
        rollupOptions: { output: { entryFileNames: 'built.mjs' } },
      });
      return import(path.join(folder, 'built.mjs'));
    },

    async open(folder) {
      place = new Cafe(folder);
      await place.listen();
      return { place, page: await openPage(own.browser, place.url) };
    },
  };
}

module.exports = { useBuilt };
