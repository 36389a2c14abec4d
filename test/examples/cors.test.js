'use strict';

// docs/recipes/cors.md in Chromium: its servers at one port of the loopback, the page at another.

const assert = require('node:assert/strict');
const { once } = require('node:events');
const express = require('express');
const { when } = require('../browser/client/support');
const { useBrowser } = require('./support/example-page');
const { HEAD, PARTS, codeOf, programWith, serveRecipe } = require('./support/recipe');

const PAGE = 'docs/recipes/cors.md';
const CREDENTIALS = "exposedHeaders: 'Retry-After',\n    maxAge";
const HEADERS = 'allowedHeaders:';
const API = 'https://api.example';
const BACK = { min: 50, max: 100 };

/** What the server was asked, before anything else sees it; and what the test asks of it. */
const CONTROL = `const app = express();
const asked = [];
app.use((req, _res, next) => {
  if (!req.path.startsWith('/test/')) {
    const { cookie, 'last-event-id': id, 'access-control-request-headers': wanted } = req.headers;
    asked.push([req.method, req.path, wanted ?? (id ? 'id' : ''), (cookie ?? '').replace(/=[^;]*/g, '')]);
  }
  next();
});
app.get('/test/asked', (_req, res) => res.json(asked.splice(0)));
app.get('/test/send/:data', (req, res) => res.json(hub.broadcast(req.params.data).matched));
app.get('/test/away', (_req, res) => res.json(hub.except([]).disconnect() ?? null));
`;

describe(`${PAGE} in Chromium`, () => {
  const chromium = useBrowser();
  let site; // of the page
  let server;
  let tab;

  /** @param {string} host of the page: 127.0.0.1 is the site of the server, localhost another one */
  async function start(words, { host = '127.0.0.1', instead = {}, more } = {}) {
    const pages = express();
    pages.get('/', (_req, res) => res.type('html').send(HEAD));
    for (const [at, folder] of Object.entries(PARTS)) pages.use(at, express.static(folder));
    site = pages.listen(0);
    await once(site, 'listening');
    const origin = `http://${host}:${site.address().port}`;
    const program = programWith(PAGE, words);
    const changes = {
      'createHub()': 'createHub({ retry: 50 })',
      'const app = express();\n': CONTROL,
    };
    if (program.source.includes('app.example')) changes['https://app.example'] = origin;
    server = await serveRecipe(program, { instead: { ...changes, ...instead }, more });
    tab = await (await chromium.browser.newContext()).newPage();
    tab.refusals = [];
    tab.on('console', (message) => tab.refusals.push(message.text()));
    await tab.goto(origin);
  }
  afterEach(async () => {
    await tab?.context().close();
    await server?.close();
    site?.close();
    tab = server = site = undefined;
  });

  const ask = async (path) => (await fetch(`${server.base}/test/${path}`)).json();

  /** Runs the block's script, or makes an EventSource of fanline/client; \`told\` is what it tells. */
  async function listen(script) {
    const note = `window.told = [];
      source.onopen = () => told.push('open');
      source.onmessage = ({ data }) => told.push(data);
      source.onerror = ({ code, status }) => told.push(['error', source.readyState, code, status].join(' ').trim());`;
    const content = script.replaceAll(API, server.base) + note;
    await tab.addScriptTag({ type: 'module', content });
  }
  const stock = (number) => codeOf(PAGE, 'html')[number].replace(/<\/?script>/g, '');
  const ours = (options) => `const { EventSource } = await import('fanline/client');
    const source = new EventSource('${API}/events', ${JSON.stringify({ retry: BACK, ...options })});`;

  const told = async (...expected) => {
    let list;
    const isThere = async () => {
      list = await tab.evaluate('window.told ?? []');
      return list.length >= expected.length;
    };
    await when(isThere, `[${expected}], but for [${list}],`);
    assert.deepEqual(list.slice(0, expected.length), expected);
  };

  /** Listens, is sent away, comes back. */
  async function comeAndGo(script, error) {
    await listen(script);
    await told('open');
    await ask('send/1');
    await told('open', '1');
    await ask('away');
    await when(async () => (await ask('send/2')) === 1);
    await told('open', '1', error, 'open');
    const all = await tab.evaluate('window.told');
    assert.equal(all[4] ?? '2', '2');
  }

  const ANY = { words: 'cors()); // use, not get' };

  it('without credentials * is enough; an EventSource never asks by OPTIONS', async () => {
    await start(ANY.words);
    await comeAndGo(stock(0), 'error 0');
    assert.deepEqual(await ask('asked'), [
      ['GET', '/events', '', ''],
      ['GET', '/events', 'id', ''],
    ]);
    assert.deepEqual(tab.refusals, []);
  });

  it('with credentials * is refused, for good, after the server has been asked', async () => {
    await start(ANY.words);
    await listen(stock(1));
    await told('error 2');
    assert.match(tab.refusals[0], /must not be the wildcard '\*' when the request's credentials/);
    assert.deepEqual(await ask('asked'), [['GET', '/events', '', '']]);
  });

  it('without the headers it is refused, for good', async () => {
    await start(ANY.words, { instead: { "app.use('/events', cors());": '' } });
    await listen(stock(0));
    await told('error 2');
    assert.match(tab.refusals[0], /No 'Access-Control-Allow-Origin' header is present/);
  });

  const logIn = () =>
    tab.evaluate(
      async (at) => (await fetch(at, { method: 'POST', credentials: 'include' })).status,
      `${server.base}/login`,
    );

  it('with the origin by name and credentials allowed, the cookie arrives', async () => {
    await start(CREDENTIALS);
    assert.equal(await logIn(), 204);
    await ask('asked');
    await comeAndGo(stock(1), 'error 0');
    assert.deepEqual(await ask('asked'), [
      ['GET', '/events', '', 'connect.sid'],
      ['GET', '/events', 'id', 'connect.sid'],
    ]);
    assert.deepEqual(tab.refusals, []);
  });

  it('an origin that is not in the list is refused', async () => {
    await start(CREDENTIALS, { instead: { 'https://app.example': 'https://app.example' } });
    await listen(stock(1));
    await told('error 2');
    assert.match(tab.refusals[0], /No 'Access-Control-Allow-Origin' header is present/);
  });

  it('to another site only cookies go that are made for it', async () => {
    const more = `app.post('/cookies', (_req, res) => {
      res.cookie('lax', '1', { sameSite: 'lax' });
      res.cookie('strict', '1', { sameSite: 'strict' });
      res.cookie('partitioned', '1', { sameSite: 'none', secure: true, partitioned: true });
      res.sendStatus(204);
    });`;
    await start(CREDENTIALS, { host: 'localhost', more });
    const include = async (method, path) =>
      tab.evaluate(
        ([at, how]) => fetch(at, { method: how, credentials: 'include' }).then(() => {}),
        [server.base + path, method],
      );
    await include('POST', '/cookies');
    await include('GET', '/events');
    assert.deepEqual((await ask('asked')).at(-1), ['GET', '/events', '', 'partitioned']);
  });

  it('fanline/client comes back behind an OPTIONS for last-event-id', async () => {
    await start(ANY.words);
    await comeAndGo(ours(), 'error 0 ERR_FAN_ENDED 0');
    assert.deepEqual(await ask('asked'), [
      ['GET', '/events', '', ''],
      ['OPTIONS', '/events', 'last-event-id', ''],
      ['GET', '/events', 'id', ''],
    ]);
    assert.deepEqual(tab.refusals, []);
  });

  it('fanline/client with Authorization asks before each', async () => {
    await start(HEADERS);
    await comeAndGo(ours({ headers: { Authorization: 'Bearer x' } }), 'error 0 ERR_FAN_ENDED 0');
    assert.deepEqual(await ask('asked'), [
      ['OPTIONS', '/events', 'authorization', ''],
      ['GET', '/events', '', ''],
      ['OPTIONS', '/events', 'authorization,last-event-id', ''],
      ['GET', '/events', 'id', ''],
    ]);
  });

  const TRAPS = {
    'app.get instead of app.use': [
      ANY.words,
      { "app.use('/events', cors());": '', "get('/events', ": "get('/events', cors(), " },
      /Response to preflight request doesn't pass access control check/,
    ],
    'Last-Event-ID not in allowedHeaders': [
      HEADERS,
      { ", 'Last-Event-ID'": '' },
      /Request header field last-event-id is not allowed/,
    ],
  };
  for (const [what, [words, instead, refusal]] of Object.entries(TRAPS)) {
    it(`${what}: all is well until fanline/client has to come back`, async () => {
      await start(words, { instead });
      const headers = words === HEADERS ? { Authorization: 'Bearer x' } : {};
      await listen(ours({ headers, retry: { ...BACK, attempts: 2 } }));
      await told('open');
      await ask('send/1');
      await told('open', '1');
      await ask('away');
      const failed = ['error 0 ERR_FAN_NETWORK 0', 'error 2 ERR_FAN_ATTEMPTS 0'];
      await told('open', '1', 'error 0 ERR_FAN_ENDED 0', ...failed);
      assert.match(tab.refusals[0], refusal);
    });
  }

  it('a 401 with the headers stops fanline/client', async () => {
    await start(HEADERS);
    await listen(ours());
    await told('error 2 ERR_FAN_STATUS 401');
  });

  it('a 401 without them looks like a network that has failed, and it asks again', async () => {
    const instead = {
      'const asked': "app.get('/events', (_req, res) => res.sendStatus(401));\nconst asked",
    };
    const control = CONTROL.replace('const asked', instead['const asked']);
    await start(HEADERS, { instead: { 'const app = express();\n': control } });
    await listen(ours());
    await told('error 0 ERR_FAN_NETWORK 0', 'error 0 ERR_FAN_NETWORK 0');
  });
});
