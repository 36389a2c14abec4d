'use strict';

// An example's server and its page in Chromium, in one call each. Errors that the page makes are kept in `page.problems`.
//
//   const examples = useExample('chat');            // inside a describe
//   it('…', async () => {
//     const page = await examples.open('/?room=tea');
//     await looks(page, { name: 'chat' });
//   });

const fs = require('node:fs');
const path = require('node:path');
const { launch, missing } = require('../../browser/support/browser');
const { Example } = require('../../js/support/example');
const { SIZES, watch } = require('./looks');

const ADDRESS = /open at (https?):\/\/localhost:(\d+)/;

/** Starts examples/<name> and resolves once it listens. */
async function startExample(name, env) {
  const example = new Example(name, env);
  try {
    const [, scheme, port] = await example.prints(ADDRESS);
    example.port = Number(port);
    example.url = `${scheme}://localhost:${port}`;
    return example;
  } catch (err) {
    await example.close();
    throw err;
  }
}

/** Chromium, started for the tests of a describe; without it they are skipped, or fail where CI=true. */
function useBrowser() {
  const own = { browser: undefined };
  before(async function () {
    this.timeout(30_000);
    const lacks = missing();
    if (lacks) {
      const advice = `the page needs ${lacks}. Install with: npm run test:setup`;
      if (process.env.CI === 'true') throw new Error(advice);
      console.log(`  not run: ${advice}`);
      this.skip();
    }
    own.browser = await launch();
  });
  after(() => own.browser?.close());
  return own;
}

/** A page of a person of its own; with `context` another tab of the same one. */
async function openPage(browser, url, { context, ...options } = {}) {
  const person = context ?? (await browser.newContext({ viewport: SIZES.wide, ...options }));
  const page = await person.newPage();
  watch(page);
  await page.goto(url);
  return page;
}

/** What an example's own package.json asks for and is not there: advice, or an empty string. */
function lacksPackages(name) {
  const dir = path.join(__dirname, '..', '..', '..', 'examples', name);
  const has = (file) => fs.existsSync(path.join(dir, file));
  if (!has('package.json') || has('node_modules')) return '';
  return `missing: the packages of examples/${name}. Install with: npm run test:setup`;
}

/**
 * To be called inside a describe: one browser for all its tests, a fresh server for each.
 * Answers { server, browser, open(path, { context, … }) }.
 */
function useExample(name, env) {
  before(function () {
    const advice = lacksPackages(name);
    if (!advice) return;
    if (process.env.CI === 'true') throw new Error(advice);
    console.log(`  not run: ${advice}`);
    this.skip();
  });
  const own = useBrowser();
  beforeEach(async () => {
    own.server = await startExample(name, env);
  });
  afterEach(async () => {
    for (const context of own.browser.contexts()) await context.close();
    await own.server?.close();
    own.server = undefined;
  });
  own.open = (path = '/', options) => openPage(own.browser, own.server.url + path, options);
  return own;
}

module.exports = { lacksPackages, openPage, startExample, useBrowser, useExample };
