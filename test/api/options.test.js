'use strict';

// What createHub, connect and sse() accept, and what becomes of it. The options of calls are in options-calls.test.js.

const assert = require('node:assert');
const options = require('../../lib/options');
const tables = require('../js/support/option-tables');

const { hubOptions, connectOptions, sseOptions, sendOptions } = options;
const { ARGUMENT, BAD_EVENTS, BAD_MS, BREAKS, COUNTS, GOOD_EVENTS, MS_MAX } = tables;
const { NOT_NUMBERS, NOT_OBJECTS, NOT_STRINGS, OPTION, nest, table, throws } = tables;

const WRONG_SWITCH = ['5', null, true, [], new Map()]; // ms, false or an object

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
const TRANSPORT = ['transport', [...NOT_STRINGS, 'fd', ''], [], ['auto', 'relay', 'detached']];

describe('createHub options', () => {
  const sizes = (top) => [NOT_NUMBERS.concat(false), [0, -1, 1.5, NaN, Infinity, top + 1]];
  table(
    [
      ...COMMON,
      ['history', ['5', 5, null, true, [], new Map()], [], [false, {}]],
      ['history.events', NOT_NUMBERS.concat(false), [...COUNTS, 2 ** 24 + 1], [1, 2 ** 24]],
      ['history.bytes', NOT_NUMBERS.concat(false), [...COUNTS, 2 ** 26 + 1], [1, 2 ** 26]],
      ['history.maxAge', NOT_NUMBERS.concat(false), [0, ...BAD_MS], [1, MS_MAX]],
      ['snapshot', ['x', null, false, true, {}], [], [() => {}, async () => {}]],
      ['adapter', [{}, null, false, { open() {} }], [], []],
      ['serialize', ['json', null, {}, true], [], [JSON.stringify]],
      ['overflow', [...NOT_STRINGS, 'drop', ''], [], ['disconnect', 'dropOldest', 'dropNewest']],
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
      ...{ 'history.event': 'history.events', 'history.maxage': 'history.maxAge' },
      ...{ snapshots: 'snapshot', overFlow: 'overflow' },
    };
    for (const [path, meant] of Object.entries(rows)) {
      const fn = () => hubOptions(nest(path, undefined));
      throws(fn, TypeError, 'ERR_FAN_OPTION', path);
      throws(fn, TypeError, 'ERR_FAN_OPTION', meant);
    }
  });

  it('has the documented defaults, frozen', () => {
    const { serialize, ...rest } = hubOptions();
    assert.deepStrictEqual(rest, {
      heartbeat: { interval: 15_000, event: null },
      retry: { min: 2_000, max: 5_000 },
      history: { events: 200, bytes: 8 << 20, maxAge: 300_000 },
      snapshot: null,
      overflow: 'disconnect',
      atCapacity: 'retry',
      batchDelay: 0,
      transport: 'auto',
      adapter: null,
      limits: {
        ...{ clients: Infinity, clientsPerUser: Infinity, roomsPerClient: 1_000 },
        ...{ eventBytes: 1 << 20, queueBytes: 8 << 20, totalBytes: 256 << 20 },
        ...{ stallTimeout: 30_000, idleTimeout: 0, lifetime: 0 },
      },
    });
    for (const given of [
      ...[undefined, {}],
      { heartbeat: 5, retry: { min: 1 }, history: { events: 5 }, limits: {} },
    ]) {
      const made = hubOptions(given);
      for (const part of [made, made.heartbeat, made.retry, made.history, made.limits]) {
        assert(Object.isFrozen(part));
      }
    }
    for (const data of ['a', Buffer.from('b')]) assert.strictEqual(serialize(data), data);
    assert.strictEqual(serialize({ a: 'b' }), '{"a":"b"}');
  });

  it('normalises heartbeat, retry, history and timeouts', () => {
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
    assert.strictEqual(made({ history: false }).history, null);
    const some = { events: 5, bytes: 8 << 20, maxAge: 7 };
    assert.deepStrictEqual(made({ history: { events: 5, maxAge: 7 } }).history, some);
  });

  it('history takes a quarter of totalBytes at most, and less than its default where that is less', () => {
    const made = (totalBytes, history) => hubOptions({ limits: { totalBytes }, history }).history;
    for (const [totalBytes, quarter] of [
      [4 << 20, 1 << 20],
      [(4 << 20) + 3, 1 << 20],
    ]) {
      assert.strictEqual(made(totalBytes).bytes, quarter);
      assert.strictEqual(made(totalBytes, { bytes: quarter }).bytes, quarter);
      const fn = () => made(totalBytes, { bytes: quarter + 1 });
      throws(fn, RangeError, 'ERR_FAN_OPTION', 'history.bytes');
      assert.throws(fn, /quarter of limits\.totalBytes/);
    }
    assert.strictEqual(made(2 ** 40).bytes, 8 << 20);
    assert.strictEqual(made(2 ** 40, { bytes: 2 ** 38 }).bytes, 2 ** 38);
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
