'use strict';

// What send, close, hub.close and those that take names accept; what errors look like. The rest is in options.test.js.

const assert = require('node:assert');
const http = require('node:http');
const options = require('../../lib/options');
const errors = require('../../lib/errors');
const tables = require('../js/support/option-tables');

const { sendOptions, closeOptions, hubCloseOptions, names, checkRequest } = options;
const { ARGUMENT, BAD_EVENTS, BAD_MS, BREAKS, GOOD_EVENTS, MS_MAX } = tables;
const { NOT_NUMBERS, NOT_OBJECTS, NOT_STRINGS, OURS, table, throws } = tables;

describe('send options', () => {
  const ids = [null, true, {}, 5n, Symbol('x'), ...BREAKS, ...OURS];
  table(
    [
      ['event', BAD_EVENTS, [], GOOD_EVENTS],
      ['id', ids, [-1, 1.5, NaN, Infinity, 2 ** 53], ['', 'a b', 'é', 0, 2 ** 53 - 1]],
      ['retry', [...NOT_NUMBERS, false], BAD_MS, [0, MS_MAX]],
      ['key', [...NOT_STRINGS, ''], [], ['a', ' ', 'a\nb', '\0', 'x'.repeat(100_000)]],
      ['history', [true, null, 0, '', {}], [], [false]],
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

  it('answers what it has checked, and ids as strings', () => {
    const given = { event: 'x', id: 1, retry: 0, history: false };
    assert.deepStrictEqual(sendOptions(given, false), { ...given, id: '1', key: undefined });
    const keyed = { event: undefined, id: undefined, retry: undefined, key: 'k', history: false };
    for (const hasHistory of [true, false]) {
      assert.deepStrictEqual(sendOptions({ key: 'k', history: false }, hasHistory), keyed);
    }
  });

  it("where there is history ids are the hub's, for what is not kept as well", () => {
    for (const id of ['x', '', 0, 5, -1, ...ids]) {
      for (const more of [{}, { history: false }, { key: 'k' }]) {
        throws(() => sendOptions({ id, ...more }, true), TypeError, 'ERR_FAN_ARG', 'opts.id');
      }
    }
    assert.throws(() => sendOptions({ id: 5 }, true), /the hub gives ids to what it keeps/);
    sendOptions({ id: undefined, event: 'x' }, true);
  });

  it('an event with a key has no id', () => {
    for (const id of ['x', 5]) {
      const fn = () => sendOptions({ id, key: 'k' }, false);
      throws(fn, TypeError, 'ERR_FAN_ARG', 'opts.id');
      assert.throws(fn, /an event with a key has no id/);
    }
    sendOptions({ id: 5, key: undefined }, false);
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
