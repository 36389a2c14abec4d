'use strict';

const assert = require('node:assert/strict');
const path = require('node:path');
const { useBuilt } = require('./support/built');
const { EXAMPLES, describeCafe } = require('./support/cafe');

const DIR = path.join(EXAMPLES, 'vue');

describe('examples/vue', () => describeCafe('vue'));

describe('useEventSource of examples/vue', () => {
  const built = useBuilt('vue');

  it('is rendered on a server, without a connection', async () => {
    const { default: App } = await built.module('src/App.vue');
    const load = (name) => require(require.resolve(name, { paths: [DIR] }));
    const html = await load('vue/server-renderer').renderToString(load('vue').createSSRApp(App));
    assert.match(html, /Connecting/);
    assert.match(html, /Nothing to do/);
  });
});
