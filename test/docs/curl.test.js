'use strict';

// The tests of a page's curl lines can fail: support/docs-curl.js.

const assert = require('node:assert/strict');
const { blocksOf } = require('../js/support/docs');
const { askedProblems, asks, hasCurl, serverOf } = require('../js/support/docs-curl');

const SERVER = `<!-- needs: express hub -->
<!-- server -->
\`\`\`js
const app = express();
app.get('/events', hub.handler({ rooms: 'news', retry: 5 }));
app.post('/news', express.text(), (req, res) => {
  hub.to('news').send(req.body);
  res.json({ token: 'secret' });
});
app.get('/named', hub.handler({}, (client) => client.send({ name: 'x', key: 'secret' })));
app.get('/own', (req, res) => res.sendStatus(req.query.token === 'secret' ? 200 : 401));
app.get('/origin', (req, res) => res.send(req.headers.origin));
app.listen(3000);
\`\`\`
<!-- then
throw new Error('a server has no check');
-->
`;
const SAY = "curl localhost:3000/news -H 'Content-Type: text/plain' -d hello";

describe('the curl lines of a page', function () {
  let server;
  const pageOf = (lines, notes = '', shown = '') =>
    `${SERVER}\n${notes}\n\`\`\`sh\n${lines}\n\`\`\`\n\n${shown}\n`;
  const shellOf = (text) => blocksOf(text).find(({ language }) => language === 'sh');
  const problemsOf = (...parts) => askedProblems(shellOf(pageOf(...parts)), server);
  const shown = (language, text) => `\`\`\`${language}\n${text}\n\`\`\``;

  before(async function () {
    if (!hasCurl) this.skip();
    const text = pageOf(SAY);
    server = await serverOf('docs/x.md', text, blocksOf(text), shellOf(text)).start();
  });
  after(() => server?.close());

  const RIGHT = {
    'are answered': [SAY],
    'are answered as they should be': ['curl localhost:3000/own', '<!-- expects: 401 -->'],
    'are answered one by one': [
      `curl localhost:3000/own # no\n${SAY}`,
      '<!-- expects: 401 200 -->',
    ],
    'print what the page shows': [SAY, '', shown('text', '{"token":"…"}')],
    'print what the page shows among others': [
      `${SAY} -i`,
      '',
      shown('http', 'Content-Type: application/json; …\nHTTP/1.1 200 OK'),
    ],
    'read a stream while others are run': [
      `curl -N localhost:3000/events\n${SAY}`,
      '',
      shown('text', 'retry: 5\nid: …\nid: …\ndata: hello\n\n{"token":"secret"}'),
    ],
    'use variables of each other': [
      `TOKEN=$(${SAY} | cut -d '"' -f 4)\ncurl "https://app.example/own?token=$TOKEN"`,
    ],
    'use what was answered': [`${SAY}\ncurl "localhost:3000/own?token=<token>"`],
    'use what a stream has said': [
      `curl -N localhost:3000/named\ncurl localhost:3000/own?token=<key>`,
    ],
    'name other origins': [
      "curl -H 'Origin: https://app.example' https://api.example/origin",
      '',
      shown('text', 'https://app.example'),
    ],
  };
  for (const [what, parts] of Object.entries(RIGHT)) {
    it(`are right when they ${what}`, async () => assert.deepEqual(await problemsOf(...parts), []));
  }

  const WRONG = {
    'are refused': ['curl localhost:3000/own', /answered 401: Unauthorized/],
    'lead nowhere': ['curl -N localhost:3000/nowhere', /answered 404/],
    'are not refused': [SAY, /answered 200/, '<!-- expects: 401 -->'],
    'ask another server': [SAY, /answered curl: \(7\)/, '', '', 'http://127.0.0.1:9'],
    'use what nobody has answered': ['curl localhost:3000/own?token=<token>', /answered 401/],
    'print something else': [SAY, /it printed:\n\{"token"/, '', shown('text', '{"a":5}')],
    'do not print a line': [`${SAY} -i`, /it printed:/, '', shown('http', 'X-Y: 5')],
  };
  for (const [what, [lines, problem, notes, text, base]] of Object.entries(WRONG)) {
    it(`are not when they ${what}`, async () => {
      const block = shellOf(pageOf(lines, notes, text));
      assert.match((await askedProblems(block, base ? { base } : server, 300)).join('\n'), problem);
    });
  }

  it('ask for https where there is some', async () => {
    const secure = 'https://127.0.0.1:9';
    const problems = (line) => askedProblems(shellOf(pageOf(line)), { base: server.base, secure });
    assert.match(
      String(await problems('curl https://localhost:3443/origin')),
      /curl: \(7\).* port 9 /,
    );
    assert.deepEqual(await problems('curl http://localhost:3000/origin'), []);
  });

  it('are not those of a comment', () => {
    assert.equal(asks({ code: 'npm start # and then: curl localhost:3000' }), false);
    assert.equal(asks({ code: 'A=$(curl localhost:3000)' }), true);
  });
});

describe('the server that curl lines ask', () => {
  const nameOf = (text, page = 'docs/x.md') => {
    const blocks = blocksOf(text);
    return serverOf(page, text, blocks, blocks.at(-1))?.name ?? null;
  };
  const sh = '\n```sh\ncurl localhost:3000\n```\n';
  const js = '\n```js\nf()\n```\n';

  it('is the last program that is said to be one', () => {
    assert.equal(nameOf(`<!-- server -->${js}${js}${sh}`), 'line 2');
    assert.equal(nameOf(`<!-- server -->${js}\n<!-- server -->${js}${sh}`), 'line 7');
  });

  it('is the example that is named', () => {
    assert.equal(nameOf(`<!-- server: examples/rooms -->${sh}`), 'examples/rooms');
    assert.equal(
      nameOf(`<!-- server -->${js}\n<!-- server: examples/rooms -->${sh}`),
      'examples/rooms',
    );
  });

  it('is the example whose README it is', () => {
    assert.equal(nameOf(sh, 'examples/rooms/README.md'), 'examples/rooms');
  });

  it('is no program that nobody says to be one', () => {
    assert.equal(nameOf(`${js}${sh}`), null);
  });

  it('is not below them', () => {
    const blocks = blocksOf(`${sh}\n<!-- server -->${js}`);
    assert.equal(serverOf('docs/x.md', '', blocks, blocks[0]), null);
  });
});
