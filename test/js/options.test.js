'use strict';

const assert = require('node:assert');
const http = require('node:http');
const options = require('../../lib/options');
const errors = require('../../lib/errors');

const { hubOptions, connectOptions, sseOptions, sendOptions, closeOptions } = options;
const { hubCloseOptions, names, checkRequest } = options;

const MS_MAX = 2 ** 31 - 1;
const NOT_NUMBERS = ['5', null, true, [], {}, 5n, Symbol('x'), () => {}];
const NOT_STRINGS = [5, null, true, {}, 5n, Symbol('x'), () => {}];
const NOT_OBJECTS = ['x', 5, null, true, [], () => {}, new Map(), new Date()];
const BAD_MS = [-1, 1.5, NaN, Infinity, 2 ** 31];
const BREAKS = ['a\nb', 'a\rb', 'a\r\nb', 'a\0b', '\n', 'a\n'];
const OURS = ['fanline:', 'fanline:reset', 'fanline:end:1'];

/** `fn` throws an error of this class and code whose message names `path`. */
function throws(fn, Base, code, path) {
  assert.throws(fn, (err) => {
    assert.strictEqual(err.code, code, err.stack);
    assert.strictEqual(err.name, Base.name);
    assert(err instanceof Base);
    assert(err.message.includes(`"${path}"`), `${path} in: ${err.message}`);
    assert(err.stack.startsWith(`${Base.name} [${code}]: ${err.message}`), err.stack);
    assert(err.message.length < 500, `${err.message.length} characters`);
    return true;
  });
}

/** `{ 'a.b': v }` as `{ a: { b: v } }`. */
function nest(path, value) {
  return path.split('.').reduceRight((inner, key) => ({ [key]: inner }), value);
}

/** Two tests for each row: [path, wrong types, wrong ranges, good values]. */
function table(rows, call, [typeCode, rangeCode], prefix) {
  for (const [path, types, ranges, good] of rows) {
    const refused = (value, Base, code) =>
      throws(() => call(nest(path, value)), Base, code, prefix + path);
    it(`${path}: refuses the wrong type and what is out of range`, () => {
      for (const value of types) refused(value, TypeError, typeCode);
      for (const value of ranges) refused(value, RangeError, rangeCode);
    });
    it(`${path}: accepts what is right, and undefined`, () => {
      for (const value of [...good, undefined]) call(nest(path, value));
    });
  }
}

const OPTION = ['ERR_FAN_OPTION', 'ERR_FAN_OPTION'];
const ARGUMENT = ['ERR_FAN_ARG', 'ERR_FAN_RANGE'];
const WRONG_SWITCH = ['5', null, true, [], new Map()]; // ms, false or an object
const COUNTS = [0, -1, 1.5, NaN, -Infinity, 2 ** 53];
const BAD_EVENTS = [...NOT_STRINGS, '', ...BREAKS, ...OURS];
const GOOD_EVENTS = ['x', ' ', 'fanline', 'Fanline:x', 'é😀', 'a:b'];

// what hubs and single streams share
const COMMON = [
  ['heartbeat', WRONG_SWITCH, [0, ...BAD_MS], [1, MS_MAX, false, {}]],
  ['heartbeat.interval', [...NOT_NUMBERS, false], [0, ...BAD_MS], [1, MS_MAX]],
  ['heartbeat.event', BAD_EVENTS, [], GOOD_EVENTS],
  ['retry', WRONG_SWITCH, [0, ...BAD_MS], [1, MS_MAX, false, {}]],
  ['retry.min', [...NOT_NUMBERS, false], [0, ...BAD_MS], [1, MS_MAX]],
  ['retry.max', [...NOT_NUMBERS, false], [0, ...BAD_MS], [1, MS_MAX]],
];
const TIMEOUT = [NOT_NUMBERS, [0, ...BAD_MS], [1, MS_MAX, false]];
const TRANSPORT = ['transport', [...NOT_STRINGS, 'detached', 'fd', ''], [], ['auto', 'relay']];

describe('createHub options', () => {
  const sizes = (top) => [NOT_NUMBERS.concat(false), [0, -1, 1.5, NaN, Infinity, top + 1]];
  table(
    [
      ...COMMON,
      ['history', [true, null, { events: 5 }, 5], [], [false]],
      ['snapshot', [() => {}, null, false], [], []],
      ['adapter', [{}, null, false], [], []],
      ['serialize', ['json', null, {}, true], [], [JSON.stringify]],
      ['overflow', [...NOT_STRINGS, 'dropOldest', 'dropNewest', 'drop', ''], [], ['disconnect']],
      ['atCapacity', [...NOT_STRINGS, 'wait', ''], [], ['retry', 'reject']],
      ['batchDelay', [...NOT_NUMBERS, false], [-1, 1.5, NaN, 60_001], [0, 60_000]],
      TRANSPORT,
      ['limits', NOT_OBJECTS, [], [{}]],
      ['limits.clients', NOT_NUMBERS, COUNTS, [1, Infinity]],
      ['limits.clientsPerUser', NOT_NUMBERS, COUNTS, [1, Infinity]],
      ['limits.roomsPerClient', NOT_NUMBERS, COUNTS, [1, Infinity]],
      ['limits.eventBytes', ...sizes(2 ** 30), [1, 2 ** 26]],
      ['limits.queueBytes', ...sizes(2 ** 40), [1, 2 ** 40]],
      ['limits.totalBytes', ...sizes(2 ** 53), [2 ** 21 + 2 ** 15, 2 ** 53 - 1]],
      ['limits.stallTimeout', ...TIMEOUT],
      ['limits.idleTimeout', ...TIMEOUT],
      ['limits.lifetime', ...TIMEOUT],
    ],
    hubOptions,
    OPTION,
    '',
  );

  it('refuses what is not a plain object, and names the nearest option', () => {
    for (const value of NOT_OBJECTS) {
      throws(() => hubOptions(value), TypeError, 'ERR_FAN_OPTION', 'options');
    }
    const rows = {
      ...{ heartbaet: 'heartbeat', Retry: 'retry', limit: 'limits', batchdelay: 'batchDelay' },
      ...{ queueBytes: 'limits.queueBytes', 'limits.client': 'limits.clients' },
      ...{ 'heartbeat.name': 'heartbeat.event', 'retry.maximum': 'retry.max' },
    };
    for (const [path, meant] of Object.entries(rows)) {
      const fn = () => hubOptions(nest(path, undefined));
      throws(fn, TypeError, 'ERR_FAN_OPTION', path);
      throws(fn, TypeError, 'ERR_FAN_OPTION', meant);
    }
  });

  it('says which options are not available in this version', () => {
    const later = [
      ...[{ history: {} }, { snapshot() {} }, { adapter: {} }, { transport: 'detached' }],
      ...[{ overflow: 'dropOldest' }, { overflow: 'dropNewest' }],
    ];
    for (const given of later) assert.throws(() => hubOptions(given), /not available in this vers/);
  });

  it('has the documented defaults, frozen', () => {
    const { serialize, ...rest } = hubOptions();
    assert.deepStrictEqual(rest, {
      heartbeat: { interval: 15_000, event: null },
      retry: { min: 2_000, max: 5_000 },
      history: null,
      overflow: 'disconnect',
      atCapacity: 'retry',
      batchDelay: 0,
      transport: 'auto',
      limits: {
        ...{ clients: Infinity, clientsPerUser: Infinity, roomsPerClient: 1_000 },
        ...{ eventBytes: 1 << 20, queueBytes: 8 << 20, totalBytes: 256 << 20 },
        ...{ stallTimeout: 30_000, idleTimeout: 0, lifetime: 0 },
      },
    });
    for (const given of [undefined, {}, { heartbeat: 5, retry: { min: 1 }, limits: {} }]) {
      const made = hubOptions(given);
      for (const part of [made, made.heartbeat, made.retry, made.limits]) {
        assert(Object.isFrozen(part));
      }
    }
    for (const data of ['a', Buffer.from('b')]) assert.strictEqual(serialize(data), data);
    assert.strictEqual(serialize({ a: 'b' }), '{"a":"b"}');
  });

  it('normalises heartbeat, retry and timeouts', () => {
    const made = (given) => hubOptions(given);
    assert.deepStrictEqual(made({ heartbeat: 5 }).heartbeat, { interval: 5, event: null });
    assert.strictEqual(made({ heartbeat: false }).heartbeat, null);
    const named = { interval: 15_000, event: 'beat' };
    assert.deepStrictEqual(made({ heartbeat: { event: 'beat' } }).heartbeat, named);
    assert.deepStrictEqual(made({ retry: 7 }).retry, { min: 7, max: 7 });
    assert.strictEqual(made({ retry: false }).retry, null);
    assert.deepStrictEqual(made({ retry: { min: 9_000 } }).retry, { min: 9_000, max: 9_000 });
    assert.deepStrictEqual(made({ retry: { max: 100 } }).retry, { min: 100, max: 100 });
    assert.strictEqual(made({ limits: { stallTimeout: false } }).limits.stallTimeout, 0);
  });

  it('refuses options that contradict each other', () => {
    const refused = (given, path) =>
      throws(() => hubOptions(given), RangeError, 'ERR_FAN_OPTION', path);
    refused({ retry: { min: 6, max: 5 } }, 'retry.min');
    refused({ limits: { eventBytes: 100, totalBytes: 32_967 } }, 'limits.totalBytes');
    hubOptions({ limits: { eventBytes: 100, totalBytes: 32_968 } });
  });

  it('ignores what somebody put on Object.prototype', () => {
    Object.prototype.polluted = 1;
    try {
      hubOptions({});
      connectOptions({});
      sendOptions({ event: 'x' });
    } finally {
      delete Object.prototype.polluted;
    }
  });
});

const STREAM = [
  ...COMMON,
  ['lastEventId', NOT_STRINGS.concat([['a']]), [], ['', '5']],
  ['lifetime', ...TIMEOUT],
  TRANSPORT,
  ['headers', NOT_OBJECTS, [], [{}, { A: 'b', C: 5, D: ['e'], F: null, G: undefined, H: false }]],
  ['headers.x-a', [true, {}, 5n, Symbol('x'), ...BREAKS], [], ['', 'é', 5]],
];

describe('connect options', () => {
  const long = 'x'.repeat(1025);
  const users = [...NOT_STRINGS, '', long, ['a']];
  const rooms = [5, null, true, {}, '', long, new Set(['a'])];
  table(
    [
      ...STREAM,
      ['user', users, [], ['42', 'x'.repeat(1024), 'a\nb']],
      ['rooms', rooms, [], ['a', [], ['a', 'b']]],
    ],
    connectOptions,
    ARGUMENT,
    'opts.',
  );

  it('names the element, the header and the nearest option', () => {
    const rows = [
      [{ rooms: ['a', 5] }, 'opts.rooms[1]'],
      [{ rooms: ['a', 'b', ''] }, 'opts.rooms[2]'],
      [{ rooms: new Array(2) }, 'opts.rooms[0]'],
      [{ headers: { 'x-a': ['b', 'c\nd'] } }, 'opts.headers.x-a[1]'],
      [{ headers: { 'x-a': ['b', 5] } }, 'opts.headers.x-a[1]'],
      [{ headers: { 'x a': 'b' } }, 'opts.headers'],
      [{ headers: { ':status': '200' } }, 'opts.headers'],
      [{ headers: { 'a\r\nb': 'c' } }, 'opts.headers'],
      [{ room: 'a' }, 'opts.rooms'],
      [{ heartbeat: { evnt: 'a' } }, 'opts.heartbeat.event'],
    ];
    for (const [given, path] of rows) {
      throws(() => connectOptions(given), TypeError, 'ERR_FAN_ARG', path);
    }
    for (const value of NOT_OBJECTS) {
      throws(() => connectOptions(value), TypeError, 'ERR_FAN_ARG', 'opts');
    }
  });

  it('normalises', () => {
    const nothing = {
      ...{ user: undefined, rooms: [], data: undefined, headers: undefined },
      ...{ lastEventId: undefined, retry: undefined, heartbeat: undefined },
      ...{ lifetime: undefined, transport: undefined },
    };
    assert.deepStrictEqual(connectOptions(), nothing);
    assert.deepStrictEqual(connectOptions({ rooms: undefined, retry: undefined }), nothing);
    const data = {};
    const headers = { 'X-A': 5, 'x-b': ['c'], 'Cache-Control': false };
    const made = connectOptions({
      ...{ user: 'u', rooms: ['a', 'b', 'a'], data, headers, lastEventId: '' },
      ...{ retry: 5, heartbeat: false, lifetime: false, transport: 'relay' },
    });
    made.headers = { ...made.headers };
    assert.deepStrictEqual(made, {
      ...{ user: 'u', rooms: ['a', 'b'], data, lastEventId: '' },
      headers: { 'X-A': '5', 'x-b': ['c'], 'Cache-Control': null },
      ...{ retry: { min: 5, max: 5 }, heartbeat: null, lifetime: 0, transport: 'relay' },
    });
    assert.strictEqual(made.data, data);
  });
});

describe('sse options', () => {
  table(STREAM, sseOptions, ARGUMENT, 'opts.');

  it('has no rooms, no user, and no retry unless asked for', () => {
    throws(() => sseOptions({ rooms: 'a' }), TypeError, 'ERR_FAN_ARG', 'opts.rooms');
    throws(() => sseOptions({ user: 'a' }), TypeError, 'ERR_FAN_ARG', 'opts.user');
    assert.throws(() => sseOptions({ rooms: [] }), /sse\(\) has no rooms: use createHub/);
    throws(() => sseOptions({ retri: 5 }), TypeError, 'ERR_FAN_ARG', 'opts.retry');
    throws(() => sseOptions(null), TypeError, 'ERR_FAN_ARG', 'opts');
    assert.strictEqual(sseOptions().retry, null);
    assert.deepStrictEqual(sseOptions({ retry: 5 }).retry, { min: 5, max: 5 });
  });
});

describe('send options', () => {
  const ids = [null, true, {}, 5n, Symbol('x'), ...BREAKS, ...OURS];
  table(
    [
      ['event', BAD_EVENTS, [], GOOD_EVENTS],
      ['id', ids, [-1, 1.5, NaN, Infinity, 2 ** 53], ['', 'a b', 'é', 0, 2 ** 53 - 1]],
      ['retry', [...NOT_NUMBERS, false], BAD_MS, [0, MS_MAX]],
      ['key', ['a', null, false, 5], [], []],
      ['history', [true, null, 0, {}], [], [false]],
    ],
    sendOptions,
    ARGUMENT,
    'opts.',
  );

  it('refuses what is not a plain object, and names the nearest option', () => {
    for (const value of NOT_OBJECTS) {
      throws(() => sendOptions(value), TypeError, 'ERR_FAN_ARG', 'opts');
    }
    for (const [key, meant] of Object.entries({ evnt: 'event', Id: 'id' })) {
      throws(() => sendOptions({ [key]: 1 }), TypeError, 'ERR_FAN_ARG', `opts.${key}`);
      throws(() => sendOptions({ [key]: 1 }), TypeError, 'ERR_FAN_ARG', `opts.${meant}`);
    }
  });

  it('answers what it has checked, and lets our own names pass for our own sends only', () => {
    const given = { event: 'x', id: 1, retry: 0, history: false, key: undefined };
    assert.deepEqual(sendOptions(given), { event: 'x', id: 1, retry: 0 });
    sendOptions({ event: 'fanline:end' }, false);
    for (const event of ['fanline:a\nb', '']) {
      throws(() => sendOptions({ event }, false), TypeError, 'ERR_FAN_ARG', 'opts.event');
    }
  });
});

describe('close options', () => {
  // with data, since a name needs some
  const call = (given) => closeOptions({ data: 1, ...given });
  table(
    [
      ['event', BAD_EVENTS, [], GOOD_EVENTS],
      ['reconnect', ['no', null, 0, {}], [], [true, false]],
    ],
    call,
    ARGUMENT,
    'opts.',
  );
  const grace = ['grace', [...NOT_NUMBERS, false], BAD_MS, [0, MS_MAX]];
  table([grace], hubCloseOptions, ARGUMENT, 'opts.');

  it('normalises; a name needs data unless reconnect is false', () => {
    const nothing = { event: undefined, data: undefined, hasData: false, reconnect: true };
    assert.deepStrictEqual(closeOptions(), nothing);
    assert.deepStrictEqual(closeOptions({ data: null }), { ...nothing, data: null, hasData: true });
    throws(() => closeOptions({ event: 'x' }), TypeError, 'ERR_FAN_ARG', 'opts.data');
    const last = { event: 'x', reconnect: false };
    assert.deepStrictEqual(closeOptions(last), { ...nothing, ...last });
    assert.strictEqual(hubCloseOptions(), 10_000);
    assert.strictEqual(hubCloseOptions({ grace: 0 }), 0);
  });

  it('refuses unknown names and what is not a plain object', () => {
    throws(() => closeOptions({ reconect: false }), TypeError, 'ERR_FAN_ARG', 'opts.reconnect');
    throws(() => hubCloseOptions({ gracee: 5 }), TypeError, 'ERR_FAN_ARG', 'opts.grace');
    for (const value of NOT_OBJECTS) {
      throws(() => closeOptions(value), TypeError, 'ERR_FAN_ARG', 'opts');
      throws(() => hubCloseOptions(value), TypeError, 'ERR_FAN_ARG', 'opts');
    }
  });
});

describe('names', () => {
  it('answers a new array without duplicates', () => {
    const given = ['b', 'a', 'b'];
    assert.deepStrictEqual(names('a', 'rooms'), ['a']);
    assert.deepStrictEqual(names(given, 'rooms'), ['b', 'a']);
    assert.deepStrictEqual(names([], 'rooms'), []);
    for (const list of [given, ['a'], []]) assert.notStrictEqual(names(list, 'rooms'), list);
    assert.deepStrictEqual(names('x'.repeat(1024), 'rooms'), ['x'.repeat(1024)]);
  });

  it('names the argument or the element', () => {
    for (const value of [...NOT_STRINGS, '', 'x'.repeat(1025)]) {
      throws(() => names(value, 'users'), TypeError, 'ERR_FAN_ARG', 'users');
      throws(() => names(['a', value], 'users'), TypeError, 'ERR_FAN_ARG', 'users[1]');
    }
  });
});

describe('checkRequest', () => {
  it("takes Node's own and names what is not", () => {
    const req = new http.IncomingMessage(null);
    req.method = 'GET';
    const res = new http.ServerResponse(req);
    checkRequest(req, res);
    for (const value of [undefined, null, 'x', 5, {}, () => {}, res]) {
      throws(() => checkRequest(value, res), TypeError, 'ERR_FAN_ARG', 'req');
    }
    for (const value of [undefined, null, 'x', 5, {}, () => {}, req]) {
      throws(() => checkRequest(req, value), TypeError, 'ERR_FAN_ARG', 'res');
    }
  });
});

describe('errors', () => {
  it('have code, name and cause like those of Node', () => {
    const cause = new Error('x');
    const rows = [
      [errors.dataError('circular', cause), TypeError, 'ERR_FAN_DATA'],
      [errors.tooLarge(6, 5), RangeError, 'ERR_FAN_TOO_LARGE'],
      [errors.headersSent('x'), Error, 'ERR_FAN_HEADERS_SENT'],
      [errors.full('x'), Error, 'ERR_FAN_FULL'],
      [errors.closed('hub'), Error, 'ERR_FAN_CLOSED'],
    ];
    for (const [err, Base, code] of rows) {
      assert.strictEqual(Object.getPrototypeOf(err), Base.prototype);
      assert.deepStrictEqual([err.code, err.name], [code, Base.name]);
      assert(err.stack.startsWith(`${Base.name} [${code}]: ${err.message}\n`), err.stack);
      assert(!err.stack.includes('errors.js'), err.stack);
    }
    assert.strictEqual(rows[0][0].cause, cause);
    assert(!('cause' in errors.dataError('x')));
  });

  it('stay short and on one line, whatever was received', () => {
    const Big = { ['B'.repeat(1e6)]: class {} }['B'.repeat(1e6)];
    const hostile = Object.defineProperty({}, 'constructor', { get: () => assert.fail() });
    const long = 'x\n'.repeat(1e6);
    const objects = [new Big(), hostile, Object.create(null), Buffer.alloc(1e6), [long]];
    for (const value of [long, Big, 10n ** 5000n, Symbol(long), ...objects]) {
      const { message } = errors.argError('a'.repeat(1e6), 'b', value);
      assert(message.length < 300 && !message.includes('\n'), message.slice(0, 400));
    }
  });
});
