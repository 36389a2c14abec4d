'use strict';

// Bad arguments of every public function: a coded error at once that names the argument; nothing is sent, nothing changes.
// Each table runs against a hub with three open clients; its state is compared after every call, their bytes at the end.
// All of it with and without history: whose ids they are is the difference.

const assert = require('node:assert/strict');
const { createHub } = require('fanline');
const { Stage, quiet, refuses, stateOf } = require('./support/stage');

const MS_MAX = 2 ** 31 - 1;
const EVENT_BYTES = 1_000;
const NAME_BYTES = 4_096;
const PLAIN = [Symbol('x'), () => {}, 5n, true];
const NOT_NAMES = [...PLAIN, 5, null, undefined, {}, new Set(['a']), '', 'x'.repeat(1_025)];
const NOT_OBJECTS = ['x', 5, null, ...PLAIN, [], new Map(), new Date()];
const NOT_STRINGS = [...PLAIN, 5, null, {}, ['x']];
const BREAKS = ['a\nb', 'a\rb', 'a\r\nb', 'a\0b', '\n', 'a\n'];
const OURS = ['fanline:', 'fanline:end', 'fanline:end:1', 'fanline:reset'];

const ARG = [TypeError, 'ERR_FAN_ARG'];
const RANGE = [RangeError, 'ERR_FAN_RANGE'];
const DATA = [TypeError, 'ERR_FAN_DATA'];
const TOO_LARGE = [RangeError, 'ERR_FAN_TOO_LARGE'];

function circular() {
  const data = {};
  data.self = data;
  return data;
}

const throwing = {
  toJSON() {
    throw new Error('not today');
  },
};

// [value, error, what the message names]
const NAME_ROWS = (argument) => [
  ...NOT_NAMES.map((value) => [value, ARG, `"${argument}"`]),
  ...NOT_NAMES.map((value) => [['a', value], ARG, `"${argument}[1]"`]),
  [[['a']], ARG, `"${argument}[0]"`],
  [Object.assign(['a', 'b'], { 3: 'c' }), ARG, `"${argument}[2]"`], // a hole is no name
];

const OPTS_ROWS = [
  ...NOT_OBJECTS.map((value) => [value, ARG, '"opts"']),
  ...[...NOT_STRINGS, '', ...BREAKS, ...OURS].map((event) => [{ event }, ARG, '"opts.event"']),
];

const SEND_ROWS = [
  ...OPTS_ROWS,
  [{ evnt: 'x' }, ARG, 'Did you mean "opts.event"'],
  [{ event: 'x', rooms: 'a' }, ARG, '"opts.rooms"'],
  ...[...PLAIN, null, {}, ['x'], ...BREAKS, ...OURS].map((id) => [{ id }, ARG, '"opts.id"']),
  [{ id: 'x', key: 'x' }, ARG, '"opts.id"'],
  ...['5', null, {}, ...PLAIN].map((retry) => [{ retry }, ARG, '"opts.retry"']),
  ...[-1, 1.5, NaN, Infinity, MS_MAX + 1].map((retry) => [{ retry }, RANGE, '"opts.retry"']),
  ...[...NOT_STRINGS, ''].map((key) => [{ key }, ARG, '"opts.key"']),
  ...[true, null, 0, { events: 5 }].map((history) => [{ history }, ARG, '"opts.history"']),
];

const LARGE_ROWS = [
  [{ event: 'x'.repeat(NAME_BYTES + 1) }, TOO_LARGE, `${NAME_BYTES + 1} bytes`],
  [{ event: 'é'.repeat(NAME_BYTES / 2 + 1) }, TOO_LARGE, `${NAME_BYTES + 2} bytes`],
];

const OWN_ID_ROWS = [
  ...[-1, 1.5, NaN, Infinity, 2 ** 53].map((id) => [{ id }, RANGE, '"opts.id"']),
  [{ id: 'x'.repeat(NAME_BYTES + 1) }, TOO_LARGE, `${NAME_BYTES + 1} bytes`],
];

const HUBS_ID_ROWS = ['x', '', 0, 5, -1, 'x'.repeat(NAME_BYTES + 1)].flatMap((id) =>
  [{ id }, { id, history: false }, { id, key: 'x' }].map((opts) => [
    opts,
    ARG,
    'the hub gives ids',
  ]),
);

const DATA_ROWS = [
  ...[undefined, () => {}, Symbol('x')].map((data) => [data, DATA, `type ${typeof data}`]),
  [circular(), DATA, 'circular'],
  [5n, DATA, 'BigInt'],
  [throwing, DATA, 'not today'],
  [{ toJSON: () => undefined }, DATA, 'undefined'],
];

const LARGE_DATA_ROWS = [
  ['x'.repeat(EVENT_BYTES + 1), TOO_LARGE, `${EVENT_BYTES + 1} bytes`],
  ['é'.repeat(EVENT_BYTES / 2 + 1), TOO_LARGE, `${EVENT_BYTES + 2} bytes`],
  [Buffer.alloc(EVENT_BYTES + 1), TOO_LARGE, `limits.eventBytes is ${EVENT_BYTES}`],
  [{ x: 'x'.repeat(EVENT_BYTES) }, TOO_LARGE, `limits.eventBytes is ${EVENT_BYTES}`],
];

const CLOSE_ROWS = [
  ...OPTS_ROWS.map(([opts, ...rest]) => [opts?.event ? { data: 1, ...opts } : opts, ...rest]),
  [{ reconect: false }, ARG, 'Did you mean "opts.reconnect"'],
  [{ id: 'x', data: 1 }, ARG, '"opts.id"'],
  ...[0, 1, null, 'false', {}, []].map((reconnect) => [{ reconnect }, ARG, '"opts.reconnect"']),
  [{ event: 'x' }, ARG, '"opts.data"'],
  [{ event: 'x', reconnect: true }, ARG, '"opts.data"'],
  ...DATA_ROWS.slice(1).map(([data, ...rest]) => [{ data }, ...rest]),
  ...DATA_ROWS.slice(1).map(([data, ...rest]) => [{ data, reconnect: false }, ...rest]),
  ...LARGE_DATA_ROWS.map(([data, ...rest]) => [{ data, event: 'x' }, ...rest]),
  [{ data: 1, event: 'x'.repeat(NAME_BYTES + 1) }, TOO_LARGE, `${NAME_BYTES + 1} bytes`],
  [{ event: 'x'.repeat(NAME_BYTES + 1), reconnect: false }, TOO_LARGE, `${NAME_BYTES + 1} bytes`],
];

const COMMENT_ROWS = [
  ...[...NOT_STRINGS, Buffer.from('x')].map((text) => [text, ARG, '"text"']),
  ['x'.repeat(EVENT_BYTES + 1), TOO_LARGE, `${EVENT_BYTES + 1} bytes`],
];

const RETRY_ROWS = [
  ...['5', null, undefined, {}, [], ...PLAIN].map((ms) => [ms, ARG, '"ms"']),
  ...[-1, 1.5, NaN, Infinity, MS_MAX + 1].map((ms) => [ms, RANGE, '"ms"']),
];

const GRACE_ROWS = [
  ...NOT_OBJECTS.map((opts) => [opts, ARG, '"opts"']),
  ...['5', null, false, {}].map((grace) => [{ grace }, ARG, '"opts.grace"']),
  ...[-1, 1.5, NaN, Infinity, MS_MAX + 1].map((grace) => [{ grace }, RANGE, '"opts.grace"']),
  [{ grce: 5 }, ARG, 'Did you mean "opts.grace"'],
];

const EXCEPTION_ROWS = [
  ...[...PLAIN, 5, null, undefined, {}, ''].map((value) => [value, ARG, '"exceptions"']),
  ...[...PLAIN, 5, null, undefined, {}, '', []].map((value) => [
    ['a', value],
    ARG,
    '"exceptions[1]"',
  ]),
  ['x'.repeat(1_025), ARG, '"exceptions"'],
];

for (const [title, history] of [
  ['without history', false],
  ['with history', undefined],
]) {
  describe(`bad arguments, ${title}`, () => badArguments(history));
}

/** @param {false|undefined} history of the hub */
function badArguments(history) {
  const idRows = history === false ? OWN_ID_ROWS : HUBS_ID_ROWS;
  let hub;
  let stage;
  let streams;
  let first;

  before(async () => {
    hub = createHub({ history, limits: { eventBytes: EVENT_BYTES, roomsPerClient: 3 } });
    stage = await Stage.on(hub);
    const opened = [
      await stage.connect({ user: 'u', rooms: ['r', 's'], data: { n: 1 } }),
      await stage.connect({ user: 'u', rooms: 'r' }),
      await stage.connect(),
    ];
    streams = opened.map(({ stream }) => stream);
    first = opened[0].client;
  });

  after(() => stage.close());

  /** Runs every row through `call`; afterwards one event must be all that anybody got. */
  async function refused(call, rows) {
    hub.broadcast('before');
    for (const stream of streams) assert.equal((await stream.next()).data, 'before');
    await quiet(hub);
    const texts = streams.map(({ text }) => text);
    const state = stateOf(hub);
    for (const [value, [Base, code], path] of rows) {
      refuses(() => call(value), Base, code, path);
      assert.deepEqual(stateOf(hub), state, path);
    }
    hub.broadcast('after');
    for (const [i, stream] of streams.entries()) {
      const { data, id } = await stream.next();
      assert.equal(data, 'after');
      assert.equal(id === undefined, history === false);
      const line = id === undefined ? '' : `id: ${id}\n`;
      assert.equal(stream.text, `${texts[i]}${line}data: after\n\n`);
    }
  }

  const targets = {
    'hub.to()': () => hub.to('r'),
    'hub.user()': () => hub.user('u'),
    'hub.client()': () => hub.client(first.id),
    'hub.except()': () => hub.except('s'),
    'a union': () => hub.to('r').user('u').except(first),
    'a target of nobody': () => hub.to('nobody'),
  };
  const senders = {
    'client.send': () => first,
    'hub.broadcast': () => ({ send: (data, opts) => hub.broadcast(data, opts) }),
    ...Object.fromEntries(
      Object.entries(targets).map(([name, make]) => [`${name}.send`, () => make()]),
    ),
  };

  for (const method of ['to', 'user', 'client']) {
    const argument = { to: 'rooms', user: 'users', client: 'ids' }[method];
    it(`hub.${method}`, () => refused((value) => hub[method](value), NAME_ROWS(argument)));
  }
  it('hub.except', () => refused((value) => hub.except(value), EXCEPTION_ROWS));
  it('target.to, user, except', async () => {
    await refused((value) => hub.to('r').to(value), NAME_ROWS('rooms'));
    await refused((value) => hub.to('r').user(value), NAME_ROWS('users'));
    await refused((value) => hub.to('r').except(value), EXCEPTION_ROWS);
  });
  it('except: what belongs to another hub', async () => {
    const other = createHub();
    const elsewhere = await Stage.on(other);
    const { client } = await elsewhere.connect({ rooms: 'r' });
    const theirs = [other.to('r'), other.user('u'), other.except([]), client];
    await refused(
      (value) => hub.except(value),
      [
        ...theirs.map((value) => [value, ARG, '"exceptions"']),
        ...theirs.map((value) => [['r', value], ARG, '"exceptions[1]"']),
      ],
    );
    await elsewhere.close();
  });

  for (const [name, sender] of Object.entries(senders)) {
    it(`${name}: options`, () =>
      refused((opts) => sender().send('x', opts), [...SEND_ROWS, ...idRows, ...LARGE_ROWS]));
    it(`${name}: data`, () =>
      refused((data) => sender().send(data), [...DATA_ROWS, ...LARGE_DATA_ROWS]));
  }

  for (const [name, make] of Object.entries(targets)) {
    it(`${name}: join, leave`, async () => {
      await refused((value) => make().join(value), NAME_ROWS('rooms'));
      await refused((value) => make().leave(value), NAME_ROWS('rooms'));
    });
    it(`${name}: disconnect`, () => refused((opts) => make().disconnect(opts), CLOSE_ROWS));
  }

  it('client.comment', () => refused((text) => first.comment(text), COMMENT_ROWS));
  it('client.retry', () => refused((ms) => first.retry(ms), RETRY_ROWS));
  it('client.join, client.leave', async () => {
    await refused((value) => first.join(value), NAME_ROWS('rooms'));
    await refused((value) => first.leave(value), NAME_ROWS('rooms'));
  });
  it('client.close', () => refused((opts) => first.close(opts), CLOSE_ROWS));
  it('hub.close: refused at once, the hub goes on', () =>
    refused((opts) => hub.close(opts), GRACE_ROWS));

  it('more rooms than roomsPerClient: nobody has joined any', async () => {
    const over = [RANGE, 'limits.roomsPerClient (3)'];
    await refused((rooms) => first.join(rooms), [[['x', 'y'], ...over]]);
    await refused((rooms) => hub.to('r').join(rooms), [[['x', 'y'], ...over]]);
    await refused((rooms) => hub.except([]).join(rooms), [[['w', 'x', 'y', 'z'], ...over]]);
    assert.deepEqual([...first.rooms], ['r', 's']);
  });

  it('res.write with what is no text', async () => {
    const rows = [5, {}, [], true].map((chunk) => [chunk, ARG, '"chunk"']);
    await refused((chunk) => first.res.write(chunk), rows);
  });

  it('listeners that are no functions', () => {
    for (const emitter of [hub, first]) {
      for (const value of [null, undefined, 'x', {}]) {
        assert.throws(() => emitter.on('close', value), { code: 'ERR_INVALID_ARG_TYPE' });
        assert.throws(() => emitter.once('close', value), { code: 'ERR_INVALID_ARG_TYPE' });
      }
    }
  });

  it('a receipt has only what is promised', () => {
    for (const [name, sender] of Object.entries(senders)) {
      if (name === 'client.send') continue;
      const receipt = sender().send('receipt');
      assert.deepEqual(Object.keys(receipt), ['matched']);
      assert(Number.isInteger(receipt.matched) && receipt.matched >= 0);
    }
  });
}

describe('a serialize that answers nonsense', () => {
  const ANSWERS = [5, null, undefined, {}, [], true, 5n, new Uint16Array(2), new ArrayBuffer(2)];

  it('refuses the send, and gives what it threw as the cause', async () => {
    const cause = new Error('mine');
    let answer = () => 'fine';
    const hub = createHub({ serialize: () => answer() });
    const stage = await Stage.on(hub);
    const { client, stream } = await stage.connect({ rooms: 'r' });
    await quiet(hub);
    const state = stateOf(hub);
    const calls = [
      () => client.send(1),
      () => hub.broadcast(1),
      () => hub.to('r').send(1),
      () => hub.to('nobody').send(1),
      () => client.close({ data: 1 }),
      () => hub.to('nobody').disconnect({ data: 1 }),
    ];
    for (const value of ANSWERS) {
      answer = () => value;
      const word = value === null ? 'null' : typeof value;
      for (const call of calls) refuses(call, TypeError, 'ERR_FAN_DATA', `type ${word}`);
    }
    answer = () => {
      throw cause;
    };
    for (const call of calls) {
      assert.equal(refuses(call, TypeError, 'ERR_FAN_DATA', 'mine').cause, cause);
    }
    assert.deepEqual(stateOf(hub), state);
    answer = () => 'fine';
    client.send({ any: 'thing' });
    assert.equal((await stream.next()).data, 'fine');
    await stage.close();
  });
});
