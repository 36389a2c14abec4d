'use strict';

const assert = require('node:assert/strict');
const { execFile } = require('node:child_process');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const { promisify } = require('node:util');
const { closeAll, open } = require('../../lib/testing');
const { lacksPackages, startExample } = require('./support/example-page');

const ROOT = path.join(__dirname, '..', '..');
const parsed = ({ event, data }) => [event, JSON.parse(data)];

describe('notifications', () => {
  let dir;
  let server;
  const start = (env) => startExample('notifications', { DB: path.join(dir, 'n.db'), ...env });

  before(function () {
    const advice = lacksPackages('notifications');
    if (!advice) return;
    if (process.env.CI === 'true') throw new Error(advice);
    console.log(`  not run: ${advice}`);
    this.skip();
  });
  beforeEach(async () => {
    dir = fs.mkdtempSync(path.join(os.tmpdir(), 'fanline-notifications-'));
    server = await start();
  });
  afterEach(async () => {
    await closeAll();
    await server.close();
    fs.rmSync(dir, { recursive: true });
  });

  const post = async (address, body, user) => {
    const response = await fetch(server.url + address, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json', ...(user && { Cookie: `user=${user}` }) },
      body: JSON.stringify(body),
    });
    const text = await response.text();
    return { status: response.status, ...(text.startsWith('{') && JSON.parse(text)) };
  };
  const notify = (user, title) => post(`/users/${user}/notifications`, { title, text: 'x' });
  const visit = (user) => open(server.url, '/events', { headers: { Cookie: `user=${user}` } });
  /** A visit, and what it is told at once. */
  async function arrive(user) {
    const stream = await visit(user);
    const [name, inbox] = parsed(await stream.next());
    assert.equal(name, 'inbox');
    return { stream, inbox };
  }
  const titles = ({ notifications }) => notifications.map(({ title }) => title);

  it('reaches all tabs of the user and nobody else, and the sender is told how many', async () => {
    const [one, two, grace] = [await arrive('ada'), await arrive('ada'), await arrive('grace')];
    const answer = await notify('ada', 'Build');
    assert.deepEqual(answer, { status: 201, id: answer.id, tabs: 2, delivered: 2 });
    for (const { stream } of [one, two]) {
      const [name, { notification, unread }] = parsed(await stream.next());
      assert.deepEqual(
        [name, notification.id, notification.title, unread],
        ['notification', answer.id, 'Build', 1],
      );
    }
    await notify('grace', 'Lunch');
    const [, { notification }] = parsed(await grace.stream.next());
    assert.equal(notification.title, 'Lunch');
  });

  it('without a tab it is delivered to nobody, and in the inbox of the next visit', async () => {
    assert.deepEqual(await notify('ada', 'Build'), { status: 201, id: 1, tabs: 0, delivered: 0 });
    await notify('ada', 'Deploy');
    const { inbox } = await arrive('ada');
    assert.deepEqual([inbox.user, inbox.unread, titles(inbox)], ['ada', 2, ['Deploy', 'Build']]);
  });

  it('a tab that comes back is told what was sent meanwhile', async () => {
    const { stream } = await arrive('ada');
    await stream.close();
    await notify('ada', 'Build');
    const { inbox } = await arrive('ada');
    assert.deepEqual(titles(inbox), ['Build']);
  });

  it('what one tab has read is read in the others, in those that come later, and in no other inbox', async () => {
    const { id } = await notify('ada', 'Build');
    await notify('grace', 'Lunch');
    await notify('ada', 'Deploy');
    const one = await arrive('ada');
    assert.deepEqual(await post('/read', { id }, 'ada'), { status: 200, unread: 1 });
    assert.deepEqual(parsed(await one.stream.next()), ['read', { first: id, last: id, unread: 1 }]);
    const later = await arrive('ada');
    assert.deepEqual(
      later.inbox.notifications.map(({ read }) => read),
      [false, true],
    );
    assert.deepEqual(await post('/read', { upTo: 100 }, 'ada'), { status: 200, unread: 0 });
    assert.equal((await arrive('grace')).inbox.unread, 1);
  });

  it('what comes while all is being marked as read stays unread', async () => {
    const { id } = await notify('ada', 'Build');
    await notify('ada', 'Deploy');
    assert.deepEqual(await post('/read', { upTo: id }, 'ada'), { status: 200, unread: 1 });
  });

  it('nothing that was answered is lost when the process is killed', async () => {
    await notify('ada', 'Build');
    const { id } = await notify('ada', 'Deploy');
    await post('/read', { id: 1 }, 'ada');
    await server.close(); // SIGKILL
    server = await start();
    const { inbox } = await arrive('ada');
    assert.deepEqual(
      inbox.notifications.map(({ title, read }) => [title, read]),
      [
        ['Deploy', false],
        ['Build', true],
      ],
    );
    assert.equal((await notify('ada', 'Again')).id, id + 1);
  });

  it('after the orderly end the database is one file, closed', async () => {
    await notify('ada', 'Build');
    server.signal('SIGTERM');
    assert.deepEqual(await server.exit, { code: 0, signal: null });
    assert.deepEqual(fs.readdirSync(dir), ['n.db']);
    server = await start();
    assert.deepEqual(titles((await arrive('ada')).inbox), ['Build']);
  });

  it('the inbox shows the newest 30 and counts all; what is told twice has the same id', async () => {
    for (let i = 1; i <= 35; i += 1) await notify('ada', `${i}`);
    const { inbox } = await arrive('ada');
    assert.deepEqual(
      [inbox.notifications.length, inbox.unread, inbox.notifications[0].title],
      [30, 35, '35'],
    );
    const ids = new Set(inbox.notifications.map(({ id }) => id));
    assert.equal(ids.size, 30);
  });

  it('strangers are told nothing, and what cannot be right is refused', async () => {
    assert.equal((await open(server.url, '/events')).status, 401);
    assert.equal((await visit('__proto__')).status, 401);
    assert.deepEqual(await post('/read', { id: 1 }), { status: 401, error: 'Who are you?' });
    const users = 'No such user. There are: ada, grace, lin';
    assert.deepEqual(await notify('eve', 'x'), { status: 404, error: users });
    assert.deepEqual(await post('/login', { user: 'eve' }), { status: 404, error: users });
    const empty = { status: 400, error: 'The field "title" is empty' };
    assert.deepEqual(await post('/users/ada/notifications', { title: ['x'], text: 'x' }), empty);
    const long = { status: 413, error: 'The field "text" has more than 500 characters' };
    assert.deepEqual(
      await post('/users/ada/notifications', { title: 'x', text: 'x'.repeat(501) }),
      long,
    );
    for (const body of [{}, { id: '1; drop table notifications' }, { upTo: -1 }, { id: 1.5 }]) {
      assert.equal((await post('/read', body, 'ada')).status, 400, JSON.stringify(body));
    }
    assert.equal((await arrive('ada')).inbox.unread, 0);
  });
});

// The database of Node itself where this Node has one, the package where it has none; and the Nodes that the tests of
// versions bring along.
describe('notifications: the store', () => {
  const program = `
    const { Store } = require('./examples/notifications/store');
    const [file] = process.argv.slice(1);
    let store = new Store(file);
    for (let i = 1; i <= 510; i += 1) store.add('ada', { title: 't' + i, text: 'x' });
    const last = store.add('lin', { title: "l'); drop table notifications; --", text: 'é' });
    store.markRead('ada', 0, 505);
    store.markRead('ada', last.id, last.id);
    store.close();
    store = new Store(file);
    const seen = { ada: store.unread('ada'), kept: store.latest('ada', 1000).length, lin: store.latest('lin', 5) };
    console.log(JSON.stringify({ ...seen, same: JSON.stringify(seen.lin[0]) === JSON.stringify(last) }));
    const before = store.add('ada', { title: 'more', text: 'x' }).id;
    console.log(JSON.stringify({ next: before - last.id, kind: store._db.constructor.name }));
    store.close();`;
  const NODES = { here: process.execPath };
  for (const version of ['22', '24', '26']) {
    NODES[version] = path.join(ROOT, `test/nodes/node_modules/node${version}/bin/node`);
  }

  for (const [name, node] of Object.entries(NODES)) {
    it(`keeps the newest 500 of each user on disk, and whose they are: Node ${name}`, async function () {
      const advice = fs.existsSync(node)
        ? lacksPackages('notifications')
        : 'missing: test/nodes. Install with: npm run test:setup';
      if (advice) {
        if (process.env.CI === 'true') throw new Error(advice);
        console.log(`  not run: ${advice}`);
        this.skip();
      }
      const dir = fs.mkdtempSync(path.join(os.tmpdir(), 'fanline-store-'));
      try {
        const args = ['-e', program, path.join(dir, 'n.db')];
        const { stdout } = await promisify(execFile)(node, args, { cwd: ROOT });
        const [seen, more] = stdout
          .trim()
          .split('\n')
          .map((line) => JSON.parse(line));
        assert.deepEqual([seen.ada, seen.kept, seen.same], [5, 500, true]);
        assert.equal(seen.lin.length, 1);
        assert.equal(more.next, 1);
        const major = Number(name) || Number(process.versions.node.split('.')[0]);
        assert.equal(more.kind, major >= 22 ? 'DatabaseSync' : 'Database');
      } finally {
        fs.rmSync(dir, { recursive: true });
      }
    });
  }
});
