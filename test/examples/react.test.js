'use strict';

const assert = require('node:assert/strict');
const fs = require('node:fs');
const path = require('node:path');
const { useBuilt } = require('./support/built');
const { EXAMPLES, describeCafe } = require('./support/cafe');

const DIR = path.join(EXAMPLES, 'react');

describe('examples/react', () => describeCafe('react'));

describe('useEventSource of examples/react', () => {
  const built = useBuilt('react');

  it('has one connection in StrictMode, which mounts everything twice', async () => {
    // StrictMode does so in a development build only.
    const folder = await built.page({ mode: 'development' });
    const [script] = fs
      .readdirSync(path.join(folder, 'assets'))
      .filter((file) => file.endsWith('.js'));
    const code = fs.readFileSync(path.join(folder, 'assets', script), 'utf8');
    assert(code.includes('Invalid hook call'), 'this is React for development');
    const { page, place } = await built.open(folder);
    await place.order('kitchen', '4', 'Soup');
    await page.getByText('Soup', { exact: true }).waitFor();
    assert.equal(place.asked.length, 1);
    assert.equal(place.hub.size, 1);
    assert.deepEqual(page.problems, []);
  });

  it('is rendered on a server, without a connection', async () => {
    const { App } = await built.module('src/App.tsx');
    const load = (name) => require(require.resolve(name, { paths: [DIR] }));
    const html = load('react-dom/server').renderToString(load('react').createElement(App));
    assert.match(html, /Connecting/);
    assert.match(html, /Nothing to do/);
  });
});
