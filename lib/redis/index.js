'use strict';

// `fanline/redis`: hubs of any number of processes on Redis Streams, through the application's own client.

const { setTimeout: delay } = require('node:timers/promises');
const errors = require('../errors');
const { OPTION, checkKeys } = require('../checks');
const { integer, isPlain } = require('../checks');
const { seqOf } = require('../distribution/ids');
const { wrap } = require('./client');
const { explain } = require('./failure');
const { Processes } = require('./processes');
const { append } = require('./script');
const { NOTHING, Tail, entriesOf } = require('./tail');

const DEFAULTS = Object.freeze({
  prefix: 'fanline',
  maxLen: 10_000,
  maxAge: 0,
  maxPendingBytes: 16 << 20,
});
const PARTING = 500; // ms
const REMEMBERED = 3_600_000; // ms that a batch is known for a repeated one

function optionsOf(options = {}) {
  if (!isPlain(options)) throw errors.optionError('options', 'a plain object', options);
  checkKeys(options, Object.keys(DEFAULTS), '', OPTION, 'redisAdapter()');
  const all = { ...DEFAULTS, ...options };
  if (typeof all.prefix !== 'string' || all.prefix === '' || /[{}]/.test(all.prefix)) {
    throw errors.optionError('prefix', 'a string without braces, not empty', all.prefix);
  }
  integer(all.maxLen, 'maxLen', 1, 2 ** 31 - 1, 'events', OPTION);
  integer(all.maxAge, 'maxAge', 0, Number.MAX_SAFE_INTEGER, 'ms', OPTION);
  integer(all.maxPendingBytes, 'maxPendingBytes', 1, Number.MAX_SAFE_INTEGER, 'bytes', OPTION);
  return all;
}

class RedisLink {
  constructor(connection, options, host) {
    const tag = `{${options.prefix}}`;
    this._connection = connection;
    this._options = options;
    this._host = host;
    this._keys = {
      stream: `${tag}:events`,
      last: `${tag}:last`,
      batch: `${tag}:batch:${host.process}`,
      answers: Processes.answersOf(tag, host.process),
    };
    this._processes = new Processes(connection, tag, host.process);
    this._processes.begin();
    this._tail = new Tail(() => connection.duplicate(), this._keys, host);
    this._running = this._tail.run();
  }

  async publish(first, sends) {
    const { stream, last, batch } = this._keys;
    const { maxAge, maxLen } = this._options;
    const args = [String(first), String(REMEMBERED), String(maxLen), String(maxAge)];
    for (const { head, data } of sends)
      args.push(head, Buffer.from(data.buffer, data.byteOffset, data.byteLength));
    try {
      const ids = await append.run(this._connection, [stream, last, batch], args);
      return ids.map(String);
    } catch (err) {
      throw explain(err);
    }
  }

  async read(after, count) {
    const { stream } = this._keys;
    const list = await this._connection.call(
      ['XRANGE', stream, `(${after}`, '+', 'COUNT', String(count)],
      stream,
    );
    const entries = entriesOf(list);
    const [oldest] = entries;
    const previous = oldest === undefined ? await this._last() : oldest.previous;
    return { isWhole: previous !== NOTHING && seqOf(previous) <= seqOf(after), entries };
  }

  async _last() {
    const last = await this._connection.call(['GET', this._keys.last], this._keys.last);
    return last === null ? NOTHING : String(last);
  }

  processes() {
    return this._processes.living();
  }

  answer(process, text) {
    return this._processes.answer(process, text);
  }

  admit(user, clients, limit) {
    return this._processes.admit(user, clients, limit);
  }

  async close() {
    this._tail.close();
    const parted = this._processes.end().catch(() => {}); // gone, or the application has closed its connection
    const late = delay(PARTING, undefined, { ref: false });
    await Promise.race([Promise.all([this._running, parted]), late]);
  }
}

/**
 * An adapter for createHub(). The connection is the application's: it opens it and closes it.
 * @param {object} client of `ioredis` or `redis`
 * @param {{prefix?: string, maxLen?: number, maxAge?: number, maxPendingBytes?: number}} [options]
 * @throws {TypeError|RangeError} `ERR_FAN_ARG`, `ERR_FAN_OPTION`
 */
function redisAdapter(client, options) {
  const connection = wrap(client);
  const checked = optionsOf(options);
  return {
    maxPendingBytes: checked.maxPendingBytes,
    open: (host) => new RedisLink(connection, checked, host),
  };
}

module.exports = { redisAdapter };
