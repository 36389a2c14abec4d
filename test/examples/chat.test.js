'use strict';

const assert = require('node:assert/strict');
const { closeAll, open } = require('../../lib/testing');
const { startExample } = require('./support/example-page');

const AWAY = 250; // ms
let server;

/** Somebody with a cookie of its own. */
class Person {
  static async named(name) {
    const person = new Person();
    const response = await person.ask('PUT', '/me', { name });
    [person.cookie] = response.headers.get('set-cookie').split(';');
    return Object.assign(person, await response.json());
  }

  ask(method, path, body) {
    return fetch(server.url + path, {
      method,
      headers: { 'Content-Type': 'application/json', ...(this.cookie && { Cookie: this.cookie }) },
      body: body && JSON.stringify(body),
    });
  }

  say(room, text, id) {
    return this.ask('POST', `/rooms/${room}/messages`, { text, id });
  }

  types(room) {
    return this.ask('POST', `/rooms/${room}/typing`);
  }

  listen(options) {
    return open(server.url, '/events', { ...options, headers: { Cookie: this.cookie } });
  }
}

/** The data of the next event of that name. */
async function next(stream, name) {
  for (;;) {
    const event = await stream.next();
    assert.ok(event, `the stream ended before "${name}"`);
    if (event.event === name) return JSON.parse(event.data);
  }
}

/** What has come so far of some names, once a `mark` said by somebody has come, too. */
async function seenUntil(stream, mark, names) {
  const seen = [];
  for (;;) {
    const { event, data } = await stream.next();
    if (event === 'message' && JSON.parse(data).text === mark) return seen;
    if (names.includes(event)) seen.push([event, JSON.parse(data)]);
  }
}

describe('chat', () => {
  beforeEach(async () => {
    server = await startExample('chat', { AWAY: String(AWAY) });
  });
  afterEach(async () => {
    await closeAll();
    await server.close();
  });

  describe('messages', () => {
    it('reach everybody in the room, the speaker too; newcomers see what was said lately', async () => {
      const [ada, lin] = [await Person.named('Ada'), await Person.named('Lin')];
      const [hers, his] = [await ada.listen(), await lin.listen()];
      const answer = await ada.say('garden', 'Hello');
      assert.equal(answer.status, 201);
      const { id, at, matched } = await answer.json();
      assert.equal(matched, 2);
      const message = { id, room: 'garden', who: ada.who, name: 'Ada', text: 'Hello', at };
      assert.deepEqual(await next(hers, 'message'), message);
      assert.deepEqual(await next(his, 'message'), message);
      const { messages } = await next(await lin.listen(), 'state');
      assert.deepEqual(messages, [message]);
    });

    it('whoever was cut off gets what was said meanwhile, once and in order, and no snapshot', async () => {
      const [ada, lin] = [await Person.named('Ada'), await Person.named('Lin')];
      const first = await ada.listen();
      await lin.say('garden', 'one');
      await next(first, 'message');
      const { lastEventId } = first;
      await first.close();
      await lin.say('kitchen', 'two');
      await lin.types('garden');
      await lin.say('garden', 'three');

      const back = await ada.listen({ lastEventId });
      await lin.say('garden', 'four');
      const texts = [];
      while (texts.length < 3) texts.push((await next(back, 'message')).text);
      assert.deepEqual(texts, ['two', 'three', 'four']);
      assert.doesNotMatch(back.text, /event: (state|typing)/);
    });

    it('what is sent twice, because the answer was lost, is said once', async () => {
      const ada = await Person.named('Ada');
      const stream = await ada.listen();
      const first = await (await ada.say('garden', 'Hello', 'abcd-1234')).json();
      const again = await ada.say('garden', 'Hello', 'abcd-1234');
      assert.equal(again.status, 200);
      assert.deepEqual(await again.json(), { id: 'abcd-1234', at: first.at, again: true });
      await ada.say('garden', 'end');
      const seen = await seenUntil(stream, 'end', ['message']);
      assert.equal(seen.length, 1);
    });

    it('an id that somebody else has used is no reason to lose a message', async () => {
      const [ada, lin] = [await Person.named('Ada'), await Person.named('Lin')];
      await ada.say('garden', 'mine', 'abcd-1234');
      assert.equal((await lin.say('garden', 'mine too', 'abcd-1234')).status, 201);
    });

    it('a name belongs to the cookie: nobody speaks as somebody else', async () => {
      const ada = await Person.named('Ada');
      const stream = await ada.listen();
      await new Person().ask('POST', '/rooms/garden/messages', {
        text: 'x',
        name: 'Ada',
        who: ada.who,
      });
      const { who, name } = await next(stream, 'message');
      assert.notEqual(who, ada.who);
      assert.match(name, /^Guest /);
      assert.doesNotMatch(stream.text, new RegExp(ada.cookie.slice(5, 20)));
    });
  });

  describe('typing', () => {
    it('is told to the others, not to the tabs of who types, and is not kept', async () => {
      const [ada, lin] = [await Person.named('Ada'), await Person.named('Lin')];
      const streams = [await ada.listen(), await ada.listen(), await lin.listen()];
      assert.equal((await ada.types('kitchen')).status, 204);
      await lin.say('garden', 'end');
      const [one, two, his] = await Promise.all(
        streams.map((stream) => seenUntil(stream, 'end', ['typing'])),
      );
      assert.deepEqual([one, two], [[], []]);
      assert.deepEqual(his, [['typing', { room: 'kitchen', who: ada.who }]]);
      assert.match(streams[2].text, /\n\nevent: typing\n/); // no id
    });
  });

  describe('presence', () => {
    it('is of people: a second tab is no second person, and only the last one that closes is a farewell', async () => {
      const [ada, lin] = [await Person.named('Ada'), await Person.named('Lin')];
      const his = await lin.listen();
      const [one, two] = [await ada.listen(), await ada.listen()];
      await one.close();
      await lin.say('garden', 'middle');
      const before = await seenUntil(his, 'middle', ['here', 'away']);
      assert.deepEqual(before, [
        ['here', { who: lin.who, name: 'Lin' }],
        ['here', { who: ada.who, name: 'Ada' }],
      ]);
      await two.close();
      assert.deepEqual(await next(his, 'away'), { who: ada.who });
    });

    it('a reload is no farewell', async () => {
      const [ada, lin] = [await Person.named('Ada'), await Person.named('Lin')];
      const his = await lin.listen();
      const before = await ada.listen();
      await next(before, 'state');
      await before.close();
      await ada.listen();
      await new Promise((resolve) => setTimeout(resolve, AWAY + 100)); // the only proof that nothing comes
      await lin.say('garden', 'end');
      const seen = await seenUntil(his, 'end', ['here', 'away']);
      assert.deepEqual(
        seen.map(([event]) => event),
        ['here', 'here'],
      );
    });

    it('newcomers are told who is here, and a new name is told to all', async () => {
      const [ada, lin] = [await Person.named('Ada'), await Person.named('Lin')];
      const hers = await ada.listen();
      const { you, here } = await next(await lin.listen(), 'state');
      assert.deepEqual(you, { who: lin.who, name: 'Lin' });
      assert.deepEqual(here, [
        { who: ada.who, name: 'Ada' },
        { who: lin.who, name: 'Lin' },
      ]);
      await lin.ask('PUT', '/me', { name: '  Lin  <b>K</b> ' });
      assert.deepEqual(await next(hers, 'name'), { who: lin.who, name: 'Lin <b>K</b>' });
    });

    it('all tabs of a person know how many they are, and nobody else does', async () => {
      const [ada, lin] = [await Person.named('Ada'), await Person.named('Lin')];
      const one = await ada.listen();
      assert.deepEqual(await next(one, 'tabs'), { tabs: 1 });
      const his = await lin.listen();
      await next(his, 'tabs');
      const two = await ada.listen();
      assert.deepEqual(await next(one, 'tabs'), { tabs: 2 });
      await two.close();
      assert.deepEqual(await next(one, 'tabs'), { tabs: 1 });
      assert.equal(his.text.match(/event: tabs/g).length, 1);
    });
  });

  describe('limits', () => {
    const many = (count, ask) => Promise.all(Array.from({ length: count }, (_, i) => ask(i)));

    it('whoever is too fast is told when to go on; others are not in the way', async () => {
      const [ada, lin] = [await Person.named('Ada'), await Person.named('Lin')];
      const answers = await many(20, (i) => ada.say('garden', `${i}`));
      const refused = answers.filter(({ status }) => status === 429);
      assert.ok(refused.length >= 5 && refused.length <= 13, `${refused.length} refused`);
      assert.equal(refused[0].headers.get('retry-after'), '1');
      assert.deepEqual(await refused[0].json(), { error: 'Too fast. Again in 1 s' });
      assert.equal((await lin.say('garden', 'me')).status, 201);
    });

    it('whoever makes up persons is stopped by the address', async () => {
      const answers = await many(150, () => new Person().say('garden', 'x'));
      const said = answers.filter(({ status }) => status === 201);
      assert.ok(said.length >= 80 && said.length < 150, `${said.length} said`);
    });

    const answer = async (...args) => {
      const response = await new Person().ask(...args);
      return [response.status, (await response.json()).error];
    };
    it('what cannot be right is refused, and says why', async () => {
      const garden = '/rooms/garden/messages';
      const rooms = 'No such room. There are: garden, kitchen, workshop';
      assert.deepEqual(await answer('POST', '/rooms/attic/messages', { text: 'x' }), [404, rooms]);
      assert.deepEqual(await answer('POST', '/rooms/__proto__/typing'), [404, rooms]);
      assert.deepEqual(await answer('POST', garden, { text: ' ' }), [
        400,
        'The field "text" is empty',
      ]);
      assert.deepEqual(await answer('POST', garden, { text: ['x'] }), [
        400,
        'The field "text" is empty',
      ]);
      assert.deepEqual(await answer('POST', garden, { text: 'x'.repeat(1_001) }), [
        413,
        'More than 1000 characters',
      ]);
      assert.equal((await answer('POST', garden, { text: 'x', id: 'a\nb' }))[0], 400);
      assert.equal((await answer('POST', garden, { text: 'x'.repeat(20_000) }))[0], 413);
      assert.deepEqual(await answer('GET', '/nothing'), [404, 'Nothing at GET /nothing']);
    });
  });
});
