'use strict';

// The processes on one stream, and what they tell each other beside it: who lives, how many clients a user has where, and
// answers, which go into a small stream of each process that its tail reads as well.

const { explain } = require('./failure');
const { Script } = require('./script');
const { within } = require('./within');

const HEARTBEAT = 5_000; // ms; as long it may stay unanswered
const AGAIN_MIN = 100; // ms until the next one when it failed; doubles
const SILENCE = 15_000; // ms without a heartbeat: dead
const ANSWERS = 1_000; // of one process, at most
const DAY = 86_400_000;

/* KEYS  processes · ARGV  process, ms of silence. Answers who lives. */
const BEAT = `
if redis.replicate_commands then redis.replicate_commands() end
local time = redis.call('TIME')
local now = tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
redis.call('ZADD', KEYS[1], now, ARGV[1])
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now - tonumber(ARGV[2]))
return redis.call('ZRANGE', KEYS[1], 0, -1)
`;

/*
 * KEYS  user, processes · ARGV  process, its clients of that user, ms that nobody need remember longer. Answers the sum of those who live.
 * Each is `<clients> <ms of the clock>`: one that is silent may be back before it is taken for dead for good.
 */
const COUNT = `
if redis.replicate_commands then redis.replicate_commands() end
local time = redis.call('TIME')
local now = tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
if ARGV[2] == '0' then redis.call('HDEL', KEYS[1], ARGV[1])
else
  redis.call('HSET', KEYS[1], ARGV[1], string.format('%s %.0f', ARGV[2], now))
  redis.call('PEXPIRE', KEYS[1], ARGV[3])
end
local sum = 0
local all = redis.call('HGETALL', KEYS[1])
for i = 1, #all, 2 do
  local clients, said = string.match(all[i + 1], '^(%d+) (%d+)$')
  if all[i] == ARGV[1] or redis.call('ZSCORE', KEYS[2], all[i]) then sum = sum + tonumber(clients)
  elseif now - tonumber(said) > tonumber(ARGV[3]) then redis.call('HDEL', KEYS[1], all[i]) end
end
return sum
`;

const beat = new Script(BEAT);
const count = new Script(COUNT);

class Processes {
  /**
   * @param {object} connection the application's (client.js)
   * @param {string} tag of all keys
   * @param {string} process this one
   * @param {(error: Error|null) => void} told how the application's connection is, whenever it was used
   */
  constructor(connection, tag, process, told) {
    this._connection = connection;
    this._tag = tag;
    this._process = process;
    this._told = told;
    this._key = `${tag}:processes`;
    this._beating = null; // a heartbeat on its way: another one would only wait behind it
    this._timer = null;
    this._delay = AGAIN_MIN;
    this._isOver = false;
  }

  /** The stream of answers to a process. */
  static answersOf(tag, process) {
    return `${tag}:answers:${process}`;
  }

  /** From now on this process is alive; and again, when there is reason to look. */
  async begin() {
    clearTimeout(this._timer);
    let error = null;
    try {
      this._beating ??= this._beat().finally(() => {
        this._beating = null;
      });
      await within(this._beating, HEARTBEAT);
    } catch (err) {
      error = explain(err);
    }
    if (this._isOver) return;
    this._told(error);
    this._delay = error === null ? AGAIN_MIN : Math.min(HEARTBEAT, this._delay * 2);
    clearTimeout(this._timer);
    this._timer = setTimeout(() => this.begin(), error === null ? HEARTBEAT : this._delay);
    this._timer.unref();
  }

  _beat() {
    return beat.run(this._connection, [this._key], [this._process, String(SILENCE)]);
  }

  /** @returns {Promise<string[]>} who is alive, this one included */
  async living() {
    const all = await this._beat();
    return all.map(String);
  }

  answer(process, text) {
    const key = Processes.answersOf(this._tag, process);
    const add = ['XADD', key, 'MAXLEN', '~', String(ANSWERS), '*', 'a', text];
    return this._connection
      .call(add, key)
      .then(() => this._connection.call(['PEXPIRE', key, String(SILENCE * 4)], key));
  }

  /** @returns {Promise<boolean>} whether all processes together have at most `limit` clients of that user */
  async admit(user, clients, limit) {
    const keys = [`${this._tag}:user:${user}`, this._key];
    const args = [this._process, String(clients), String(DAY)];
    return Number(await count.run(this._connection, keys, args)) <= limit;
  }

  /** This process is gone, for all. Whoever can't be told will see it by the silence. */
  async end() {
    this._isOver = true;
    clearTimeout(this._timer);
    const key = Processes.answersOf(this._tag, this._process);
    await this._connection.call(['ZREM', this._key, this._process], this._key);
    await this._connection.call(['DEL', key], key);
  }
}

module.exports = { Processes };
