'use strict';

// What a stock client must show, over each transport: clients.test.js in test/clients and in test/browser.

const assert = require('node:assert/strict');
const fs = require('node:fs');
const path = require('node:path');
const { EVENTS } = require('./feed');

const TRANSPORTS = ['fd', 'relay'];
const AWAY = 250; // ms that a client which stays away has time to come back: eight times what `retry` says
const FOR_GOOD = { reconnect: false };
const PAGE = path.join(__dirname, '..', '..', '..', 'docs', 'clients.md');
const SAID = { returns: 'comes back', app: 'the app asks again' };
const STAYS = {
  server: 'stays away: one 204',
  app: 'the app ends it on `fanline:end`',
  null: 'is over',
};
const LEAVE = { ended: (feed) => feed.end(), cut: (feed) => feed.cut() };

/** Waits until `condition()`, which may be a promise, holds. */
async function eventually(condition, what, ms = 8_000) {
  const limit = Date.now() + ms;
  while (!(await condition())) {
    assert(Date.now() < limit, `${what}: not within ${ms} ms`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

/** A feed, and clients of one kind on it. */
class Scene {
  constructor(feed, open) {
    this.feed = feed;
    this._open = open;
    this._clients = [];
  }

  async start(options) {
    const { requests } = this.feed;
    const before = requests.length;
    const client = await this._open(this.feed, options);
    this._clients.push(client);
    await eventually(() => requests.length > before && this.feed.size > 0, 'it asks');
    return client;
  }

  /** A client that has got an event, whose id is `id`. */
  async begin(options) {
    const client = await this.start(options);
    const id = await this.feed.say('1');
    await this.gets(client, '1');
    return { client, id };
  }

  /** Waits until `client` has got `data`. */
  gets(client, data) {
    const has = async () => (await client.log()).some((entry) => entry[1] === data);
    return eventually(has, `it gets ${data.slice(0, 20)}`);
  }

  ends(client) {
    return eventually(() => client.isOver(), 'it ends');
  }

  /** The statuses of what was asked after the first time. */
  get later() {
    return this.feed.requests.slice(1).map(({ status }) => status);
  }

  async close() {
    for (const client of this._clients) await client.close();
    await this.feed.close();
  }
}

async function getsEverything(scene) {
  const client = await scene.start();
  await scene.feed.sayAll();
  await scene.gets(client, EVENTS.at(-1)[1]);
  assert.deepEqual(await client.log(), EVENTS);
}

/** What is said meanwhile reaches it once, whether it comes back by itself or the app asks again with the last id. */
async function returns(scene, how, leave) {
  const { feed } = scene;
  const { client, id } = await scene.begin();
  leave(feed);
  await eventually(() => feed.size === 0, 'the stream ends');
  feed.say('2');
  let before = [];
  let last = client;
  if (how === 'app') {
    await scene.ends(client);
    assert.equal(feed.requests.length, 1);
    before = await client.log();
    last = await scene.start({ lastEventId: await client.lastEventId() });
  }
  await scene.gets(last, '2');
  feed.say('3');
  await scene.gets(last, '3');
  const all = [...before, ...(await last.log())];
  assert.deepEqual(
    all.map(([, data]) => data),
    ['1', '2', '3'],
  );
  assert.equal(feed.requests[1].lastEventId, id);
}

async function isReset(scene, how) {
  const { feed } = scene;
  const { client } = await scene.begin();
  await feed.restart();
  let last = client;
  if (how === 'app') {
    await scene.ends(client);
    last = await scene.start({ lastEventId: await client.lastEventId() });
  }
  await scene.gets(last, 'restart');
  feed.say('2');
  await scene.gets(last, '2');
  assert.deepEqual((await last.log()).slice(-2), [
    ['fanline:reset', 'restart'],
    ['message', '2'],
  ]);
}

/** `statuses`: of the attempts that it makes before it stays away. `ms`: the time that it has for more. */
async function staysAway(scene, options, statuses, ms = AWAY) {
  const client = await scene.start(options);
  scene.feed.end(FOR_GOOD);
  await scene.ends(client);
  await new Promise((resolve) => setTimeout(resolve, ms));
  assert.deepEqual(scene.later, statuses);
  const log = await client.log();
  assert.equal(log.at(-1)[0], 'fanline:end');
}

async function asksForEver(scene) {
  await scene.start();
  scene.feed.end(FOR_GOOD);
  await eventually(() => scene.later.length >= 2, 'it asks again, and again');
}

/**
 * Defines the tests of one client.
 * @param {{ended: string, cut: string, stays: string|null}} client as CLIENTS has it
 * @param {{open: (feed: object, options?: object) => Promise<object>, server: () => FeedServer}} how what starts it
 */
function behaves({ name, ended, cut, stays }, { open, server }) {
  let scenes = [];

  afterEach(async () => {
    for (const scene of scenes.splice(0)) await scene.close();
  });

  /** Over all transports at the same time. */
  const shows = (title, run) =>
    it(title, async () => {
      scenes = TRANSPORTS.map((transport) => new Scene(server().feed(transport), open));
      const all = scenes.map((scene, i) =>
        run(scene).catch((err) => {
          err.message = `${TRANSPORTS[i]}: ${err.message}`;
          throw err;
        }),
      );
      const failed = (await Promise.allSettled(all)).find(({ reason }) => reason);
      if (failed) throw failed.reason;
    });

  it('docs/clients.md says of it what is tested here', () => {
    const row = `| ${name} | ${SAID[ended]} | ${SAID[cut]} | ${STAYS[stays]} |`;
    assert.ok(fs.readFileSync(PAGE, 'utf8').split('\n').includes(row), row);
  });
  shows('gets every event, and nothing else', getsEverything);
  for (const [what, does] of Object.entries({ ended, cut })) {
    const title = does === 'returns' ? 'comes back' : 'gets what it missed when the app asks again';
    shows(`${title}: a stream that was ${what}`, (scene) => returns(scene, does, LEAVE[what]));
  }
  shows('is told by fanline:reset that the server does not know what it missed', (scene) =>
    isReset(scene, ended),
  );
  if (stays === 'server') {
    shows('stays away after close({ reconnect: false }), because of one 204', (scene) =>
      staysAway(scene, {}, [204]),
    );
  } else if (stays === 'app') {
    shows(
      'stays away after close({ reconnect: false }) if the app ends it on fanline:end',
      (scene) => staysAway(scene, { endsOn: 'fanline:end' }, []),
    );
    shows('asks for ever after close({ reconnect: false }) if the app does not', asksForEver);
  } else {
    shows('is over after close({ reconnect: false }), as after any end', (scene) =>
      staysAway(scene, {}, [], 0),
    );
  }
}

module.exports = { behaves };
