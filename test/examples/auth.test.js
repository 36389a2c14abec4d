'use strict';

// docs/recipes/authentication.md in Chromium: its programs, and what the page says that a browser does.

const assert = require('node:assert/strict');
const { useBrowser } = require('./support/example-page');
const { codeOf, hostPages, programWith, serveRecipe } = require('./support/recipe');

const PAGE = 'docs/recipes/authentication.md';
const QUICK = { 'createHub()': 'createHub({ retry: 50 })' };
const CONTROL = `
  const seen = [];
  app.post('/test/send/:data', (req, res) => res.json(hub.user('ada').send(req.params.data).matched));
  app.get('/test/state', (_req, res) => res.json({ size: hub.size, seen }));
`;

describe(`${PAGE} in Chromium`, () => {
  const chromium = useBrowser();
  let server;
  let context;

  /** The program with those words, and a context that has pages at its origin. */
  async function start(words, pages, changes) {
    const { instead, more = '' } = changes ?? {};
    const all = { instead: { ...QUICK, ...instead }, more: CONTROL + more };
    server = await serveRecipe(programWith(PAGE, words), all);
    context = await chromium.browser.newContext();
    await hostPages(context, server.base, pages);
  }
  afterEach(async () => {
    await context?.close();
    await server?.close();
    server = undefined;
  });

  const state = async () => (await fetch(`${server.base}/test/state`)).json();
  const send = (data) => fetch(`${server.base}/test/send/${data}`, { method: 'POST' });
  const post = (tab, path, body) =>
    tab.evaluate(
      async ([at, json]) => {
        const headers = { 'Content-Type': 'application/json' };
        return (await fetch(at, { method: 'POST', headers, body: json })).status;
      },
      [path, JSON.stringify(body ?? {})],
    );

  /** A tab that notes how each of its streams was answered. */
  async function openTab(at) {
    const tab = await context.newPage();
    tab.answers = [];
    tab.on('response', (response) => {
      if (new URL(response.url()).pathname === '/events') tab.answers.push(response.status());
    });
    await tab.goto(server.base + at);
    return tab;
  }

  async function eventually(what, expected, ms = 5_000) {
    const limit = Date.now() + ms;
    for (;;) {
      const found = await what();
      try {
        assert.deepEqual(found, expected);
        return;
      } catch (err) {
        if (Date.now() > limit) throw err;
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
    }
  }
  const size = async () => (await state()).size;

  it('who has no session is answered 401, and the EventSource gives up', async () => {
    await start("'/logout'", { '/app': codeOf(PAGE, 'html')[0], '/login.html': '<h1>Log in</h1>' });
    const tab = await openTab('/app');
    await tab.waitForURL('**/login.html');
    await eventually(() => tab.answers, [401]);
  });

  it('a logout in another tab ends the open stream, and the EventSource stays away', async () => {
    await start("'/logout'", { '/app': codeOf(PAGE, 'html')[0], '/login.html': '<h1>Log in</h1>' });
    const other = await openTab('/login.html');
    assert.equal(await post(other, '/login', { name: 'ada' }), 204);
    const tab = await openTab('/app');
    await eventually(size, 1);
    assert.equal(await post(other, '/logout'), 204);
    await tab.waitForURL('**/login.html');
    await eventually(() => tab.answers, [200, 204]);
    assert.equal(await size(), 0);
    // Who logs in again has a stream again: it is another EventSource.
    await post(other, '/login', { name: 'ada' });
    const again = await openTab('/app');
    await eventually(size, 1);
    await eventually(() => again.answers, [200]);
  });

  it('streams that are sent away without `reconnect: false` come back with what they missed', async () => {
    await start("'/logout'", { '/app': '', '/login.html': '' });
    const tab = await openTab('/app');
    await post(tab, '/login', { name: 'ada' });
    await tab.evaluate(() => {
      window.seen = [];
      window.source = new EventSource('/events');
      window.source.onmessage = ({ data }) => window.seen.push(data);
    });
    await eventually(size, 1);
    await send('before');
    assert.equal(await post(tab, '/logout-everywhere'), 204);
    await send('after');
    await eventually(() => tab.evaluate('window.seen'), ['before', 'after']);
    await eventually(() => tab.answers, [200, 200]);
  });

  it('a stream ends with its token; with the next one it is back, and nothing is lost', async () => {
    const instead = { "expiresIn: '15 min'": 'expiresIn: 2' };
    const more = `hub.on('disconnect', (_client, reason) => seen.push(reason));`;
    await start("'/login', (_req", { '/app': '' }, { instead, more });
    const renewing = programWith(PAGE, 'expires - Date.now()').source;
    const script = renewing.slice(renewing.indexOf('const { EventSource }'));
    const tab = await openTab('/app');
    tab.shown = [];
    tab.on('console', (message) => tab.shown.push(message.text()));
    const tokens = new Set();
    tab.on('request', async (request) => {
      if (!request.url().endsWith('/events')) return;
      tokens.add(await request.headerValue('authorization'));
    });
    await tab.addScriptTag({ type: 'module', content: script });
    await eventually(size, 1);
    await send('1');
    await eventually(async () => (await state()).seen, ['lifetime']);
    await send('2'); // to nobody, as long as it is away
    await send('3');
    await eventually(() => tab.shown, ['1', '2', '3']);
    assert.deepEqual(tab.answers.slice(0, 2), [200, 200]);
    assert(tokens.size > 1, 'each attempt asks for a token');
  });

  const BY_URL = `app.get('/by-url', (req, res, next) => {
    seen.push(req.headers.referer);
    next();
  }, hub.handler((req) => {
    const claims = claimsOf(req.query.token);
    return claims && streamOf(claims);
  }));
  app.get('/short', (_req, res) => res.json(jwt.sign({ sub: 'ada' }, KEY, { expiresIn: 2 })));`;

  it('a token in the URL cannot be renewed: after its time the EventSource has given up', async () => {
    await start("'/login', (_req", { '/app': '' }, { more: BY_URL });
    const tab = await openTab('/app');
    const answers = [];
    tab.on('response', (each) => {
      if (each.url().includes('/by-url')) answers.push(each.status());
    });
    await tab.evaluate(async () => {
      const token = await (await fetch('/short')).json();
      window.source = new EventSource(`/by-url?token=${token}`);
    });
    await tab.waitForFunction('window.source.readyState === EventSource.CLOSED');
    assert.equal(answers[0], 200);
    assert.equal(answers.at(-1), 401);
  });

  it('a token in the URL of the page goes out as Referer', async () => {
    await start("'/login', (_req", { '/app': '' }, { more: BY_URL });
    const tab = await openTab('/app?token=secret');
    await tab.evaluate(
      () =>
        new Promise((resolve) => {
          new EventSource('/by-url').onerror = resolve;
        }),
    );
    assert.deepEqual((await state()).seen, [`${server.base}/app?token=secret`]);
  });
});
