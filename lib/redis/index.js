'use strict';

// `fanline/redis`: hubs of any number of processes on Redis Streams, through the application's own client.

const { setTimeout: delay } = require('node:timers/promises');
const errors = require('../errors');
const { OPTION, checkKeys } = require('../checks');
const { integer, isPlain } = require('../checks');
const { seqOf } = require('../distribution/ids');
const { wrap } = require('./client');
const { explain } = require('./failure');
const { Health } = require('./health');
const { Processes } = require('./processes');
const { append, idsFrom, packed } = require('./script');
const { NOTHING, Tail, behind, entriesOf, lastOf } = require('./tail');

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

/** Rejects with errors of ours. */
async function explained(promise) {
  try {
    return await promise;
  } catch (err) {
    throw explain(err);
  }
}

class RedisLink {
  constructor(connection, options, host) {
    const tag = `{${options.prefix}}`;
    this._connection = connection;
    this._options = options;
    this._isClosed = false;
    this._health = new Health((state, error) => this._isClosed || host.state(state, error));
    this._keys = {
      stream: `${tag}:events`,
      last: `${tag}:last`,
      batch: `${tag}:batch:${host.process}`,
      heads: `${tag}:heads`,
      answers: Processes.answersOf(tag, host.process),
    };
    const wrote = (error) => this._health.writing(error);
    this._processes = new Processes(connection, tag, host.process, wrote);
    this._processes.begin();
    const reader = { ...host, state: (state, error) => this._read(state, error) };
    this._tail = new Tail(() => connection.duplicate(), this._keys, reader, options);
    this._running = this._tail.run();
  }

  /** Where one connection has failed, the other one may have, too. */
  _read(state, error) {
    this._health.reading(state, error);
    if (state === 'ready') this._processes.begin();
  }

  async publish(first, sends) {
    const { stream, last, batch, heads } = this._keys;
    const { maxAge, maxLen } = this._options;
    const how = [String(first), String(REMEMBERED), String(maxLen), String(maxAge)];
    const args = [...how, ...packed(sends)];
    try {
      const id = await append.run(this._connection, [stream, last, batch, heads], args);
      this._health.accepted();
      return idsFrom(String(id), sends.length);
    } catch (err) {
      throw this._health.worst ?? explain(err);
    }
  }

  hurry() {
    this._tail.hurry();
  }

  async read(after, count) {
    let entries = await this._behind(after, count);
    if (entries.length === 0) {
      const last = await explained(lastOf(this._connection, this._keys));
      if (seqOf(last) <= seqOf(after)) return { isWhole: last !== NOTHING, entries };
      entries = await this._behind(after, count); // it has come meanwhile, or is gone
    }
    const previous = entries[0]?.previous ?? NOTHING;
    return { isWhole: previous !== NOTHING && seqOf(previous) <= seqOf(after), entries };
  }

  async _behind(after, count) {
    const { stream } = this._keys;
    const range = ['XRANGE', stream, behind(after), '+', 'COUNT', String(count)];
    return entriesOf(await explained(this._connection.call(range, stream)));
  }

  processes() {
    return explained(this._processes.living());
  }

  answer(process, text) {
    return explained(this._processes.answer(process, text));
  }

  admit(user, clients, limit) {
    return explained(this._processes.admit(user, clients, limit));
  }

  async close() {
    this._isClosed = true;
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
