'use strict';

// client.pipe() given what it cannot take: refused at once, before anything is called, open or closed.

const assert = require('node:assert/strict');
const { createHub } = require('fanline');
const { Led, QUIET } = require('../js/support/pipes');
const { Stage, refuses, when } = require('../js/support/stage');

/** `[options, path that the message names, what else it says]` */
const OPTIONS = {
  'no object': [5, 'opts'],
  null: [null, 'opts'],
  'an unknown name': [{ mapp: () => {} }, 'opts.mapp', 'opts.map"'],
  'a name in another case': [{ Done: 'x' }, 'opts.Done', 'opts.done"'],
  'an event that is no name': [{ event: 5 }, 'opts.event'],
  'an empty event': [{ event: '' }, 'opts.event'],
  'an event with a line break': [{ event: 'a\rb' }, 'opts.event'],
  'an event of ours': [{ event: 'fanline:end' }, 'opts.event'],
  'a null event': [{ event: null }, 'opts.event'],
  'a map that is no function': [{ map: {} }, 'opts.map'],
  'a null map': [{ map: null }, 'opts.map'],
  'an error that is no function': [{ error: 'x' }, 'opts.error'],
  'an end that is no boolean': [{ end: 0 }, 'opts.end'],
  'a done that is no event': [{ done: 5 }, 'opts.done'],
  'a done that is a list': [{ done: ['x'] }, 'opts.done'],
  'a done without data': [{ done: { event: 'x' } }, 'opts.done.data'],
  'a done with a bad name': [{ done: { data: 1, event: 'a\n' } }, 'opts.done.event'],
  'a done with an unknown name': [
    { done: { data: 1, evnt: 'a' } },
    'opts.done.evnt',
    'done.event"',
  ],
  'a done with an id': [{ done: { data: 1, id: 'a' } }, 'opts.done.id'],
};

const SOURCES = {
  nothing: undefined,
  null: null,
  text: 'abc',
  'no text': '',
  bytes: Buffer.from('abc'),
  'a number': 5,
  'an object': {},
  'an array-like object': { length: 0 },
  'an iterator that is not iterable': { next() {} },
  'a promise': Promise.resolve(['a']),
};

describe('client.pipe() refuses', () => {
  let stage;
  let clients;
  before(async () => {
    stage = await Stage.on(createHub(QUIET));
    const { client: open } = await stage.connect();
    const { client: closed, stream } = await stage.connect();
    stream.close();
    await when(() => closed.closed !== null);
    clients = { open, closed };
  });
  after(async () => {
    assert.equal(clients.open.closed, null); // nothing of all that has ended it
    await stage.close();
    await stage.hub.close({ grace: 0 });
  });

  for (const [name, [opts, path, more = '']] of Object.entries(OPTIONS)) {
    it(`as options ${name}, and leaves the source alone`, () => {
      const source = new Led();
      const called = () => assert.fail('called');
      for (const client of Object.values(clients)) {
        for (const given of [source, called]) {
          const err = refuses(
            () => client.pipe(given, opts),
            TypeError,
            'ERR_FAN_ARG',
            `"${path}"`,
          );
          assert(err.message.includes(more), err.message);
        }
      }
      assert.deepEqual([source.asked, source.returned], [0, []]);
    });
  }

  for (const [name, source] of Object.entries(SOURCES)) {
    it(`as source ${name}`, () => {
      for (const client of Object.values(clients)) {
        refuses(() => client.pipe(source), TypeError, 'ERR_FAN_ARG', '"source"');
      }
    });
  }

  it('no option that is undefined', async () => {
    const opts = { event: undefined, map: undefined, done: undefined, error: undefined };
    const answer = await clients.open.pipe([], { ...opts, end: false });
    assert.deepEqual(answer, { sent: 0, closed: null });
    const { closed } = await clients.closed.pipe([], { ...opts, end: undefined });
    assert.equal(closed, 'client');
  });
});
