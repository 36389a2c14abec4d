'use strict';

// The processes on one stream, and what they tell each other beside it: who lives, how many clients a user has where, and
// answers, which go into a small stream of each process that its tail reads as well.

const { Script } = require('./script');

const HEARTBEAT = 5_000; // ms
const SILENCE = 15_000; // ms without a heartbeat: dead
const ANSWERS = 1_000; // of one process, at most
const DAY = 86_400_000;

/* KEYS  processes · ARGV  process (empty: none), ms of silence. Answers who lives. */
const BEAT = `
if redis.replicate_commands then redis.replicate_commands() end
local time = redis.call('TIME')
local now = tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
if ARGV[1] ~= '' then redis.call('ZADD', KEYS[1], now, ARGV[1]) end
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now - tonumber(ARGV[2]))
return redis.call('ZRANGE', KEYS[1], 0, -1)
`;

/* KEYS  user, processes · ARGV  process, its clients of that user, ms that nobody need remember longer. Answers the sum of those who live. */
const COUNT = `
if ARGV[2] == '0' then redis.call('HDEL', KEYS[1], ARGV[1])
else
  redis.call('HSET', KEYS[1], ARGV[1], ARGV[2])
  redis.call('PEXPIRE', KEYS[1], ARGV[3])
end
local sum = 0
local all = redis.call('HGETALL', KEYS[1])
for i = 1, #all, 2 do
  if all[i] == ARGV[1] or redis.call('ZSCORE', KEYS[2], all[i]) then sum = sum + tonumber(all[i + 1])
  else redis.call('HDEL', KEYS[1], all[i]) end
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
   */
  constructor(connection, tag, process) {
    this._connection = connection;
    this._tag = tag;
    this._process = process;
    this._key = `${tag}:processes`;
    this._timer = null;
  }

  /** The stream of answers to a process. */
  static answersOf(tag, process) {
    return `${tag}:answers:${process}`;
  }

  /** From now on this process is alive. */
  begin() {
    if (this._timer !== null) return;
    const step = () => this._beat(this._process).catch(() => {}); // the tail tells of a server that is gone
    this._timer = setInterval(step, HEARTBEAT);
    this._timer.unref();
    step();
  }

  _beat(process) {
    return beat.run(this._connection, [this._key], [process, String(SILENCE)]);
  }

  /** @returns {Promise<string[]>} who is alive, this one included */
  async living() {
    const all = await this._beat(this._process);
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
    clearInterval(this._timer);
    const key = Processes.answersOf(this._tag, this._process);
    await this._connection.call(['ZREM', this._key, this._process], this._key);
    await this._connection.call(['DEL', key], key);
  }
}

module.exports = { Processes };
