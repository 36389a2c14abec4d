'use strict';

// What happens in the server, at once: a batch of sends goes to the end of the stream, unless it is there already.
//
//   stream   id → h: the id before it, its number in its process, its head; d: data
//   last     the id of the last event, so that whoever reads notices when something is missing between two
//   batch    of each process: the number of the batch that came last, and the ids that it got
//
// The three lie in one slot of a Cluster: their names share a `{tag}`.

const { createHash } = require('node:crypto');
const { PER_MS } = require('../distribution/ids');

/*
 * KEYS  stream, last, batch
 * ARGV  number of the first send, ms that the batch is remembered, maxLen, maxAge in ms (0: none), lengths of head and data of each, all of
 *       these as one: libraries take long for many arguments
 *
 * Ids are ours, not Redis': never less than the clock, always more than the one before, at most PER_MS in a millisecond.
 */
const APPEND = `
if redis.replicate_commands then redis.replicate_commands() end
local stream, lastKey, batchKey = KEYS[1], KEYS[2], KEYS[3]
local first = tonumber(ARGV[1])

local batch = redis.call('GET', batchKey)
if batch then
  local done = tonumber(string.match(batch, '^%d+'))
  if first < done then return redis.error_reply('STALE a batch that was accepted long ago') end
  if first == done then
    local ids = {}
    for id in string.gmatch(string.match(batch, ' .*'), '%d+%-%d+') do ids[#ids + 1] = id end
    return ids
  end
end

local time = redis.call('TIME')
local now = tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
local last = redis.call('GET', lastKey)
if not last then
  local top = redis.call('XREVRANGE', stream, '+', '-', 'COUNT', 1)[1]
  last = top and top[1] or string.format('%.0f-0', now - 1)
end
local ms, n = string.match(last, '^(%d+)%-(%d+)$')
ms, n = tonumber(ms), tonumber(n)
local ids = {}
local number, at = first, 1
for head, data in string.gmatch(ARGV[5], '(%d+) (%d+)') do
  local dataAt = at + head
  local behind = dataAt + data
  if now > ms then ms, n = now, 0
  elseif n + 1 < ${PER_MS} then n = n + 1
  else ms, n = ms + 1, 0 end
  local id = string.format('%.0f-%d', ms, n)
  redis.call('XADD', stream, 'MAXLEN', '~', ARGV[3], id,
    'h', string.format('%s %.0f ', last, number) .. string.sub(ARGV[6], at, dataAt - 1),
    'd', string.sub(ARGV[6], dataAt, behind - 1))
  ids[#ids + 1] = id
  last, number, at = id, number + 1, behind
end
redis.call('SET', lastKey, last)
redis.call('SET', batchKey, ARGV[1] .. ' ' .. table.concat(ids, ' '), 'PX', ARGV[2])
if ARGV[4] ~= '0' then
  redis.call('XTRIM', stream, 'MINID', '~', string.format('%.0f-0', now - tonumber(ARGV[4])))
end
return ids
`;

/*
 * KEYS  last
 * ARGV  an id
 * A server that has taken over and lost events, or that was emptied, must not give ids again, and all that others know must be
 * less than its last one, so that they see that something is gone, too. Answers that one; somebody else may have seen to it.
 */
const RAISE = `
if redis.replicate_commands then redis.replicate_commands() end
local last = redis.call('GET', KEYS[1]) or '0-0'
local lastMs, lastN = string.match(last, '^(%d+)%-(%d+)$')
local ms, n = string.match(ARGV[1], '^(%d+)%-(%d+)$')
lastMs, lastN, ms, n = tonumber(lastMs), tonumber(lastN), tonumber(ms), tonumber(n)
if lastMs > ms or (lastMs == ms and lastN > n) then return last end
local time = redis.call('TIME')
local now = tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
if now > ms then ms, n = now, 0 else n = n + 1 end
if n >= ${PER_MS} then ms, n = ms + 1, 0 end
local id = string.format('%.0f-%d', ms, n)
redis.call('SET', KEYS[1], id)
return id
`;

/* KEYS  any. Answers the time of the server that has it, as TIME does. */
const CLOCK = `return redis.call('TIME')`;

/*
 * KEYS  stream, last
 * ARGV  ms of that clock
 * Answers the id behind which is all that was accepted since then. A stream that has never had anything begins now.
 */
const SINCE = `
if redis.replicate_commands then redis.replicate_commands() end
local before = redis.call('XREVRANGE', KEYS[1], ARGV[1], '-', 'COUNT', 1)[1]
if before then return before[1] end
local oldest = redis.call('XRANGE', KEYS[1], '-', '+', 'COUNT', 1)[1]
if oldest then return string.match(tostring(oldest[2][2]), '^%d+%-%d+') or '0-0' end
local last = redis.call('GET', KEYS[2])
if not last then
  last = ARGV[1] .. '-0'
  redis.call('SET', KEYS[2], last)
end
return last
`;

/**
 * What APPEND wants of some sends.
 * @param {{head: string, data: Uint8Array}[]} sends
 * @returns {[string, Buffer]} lengths, and all of it
 */
function packed(sends) {
  const lengths = [];
  let size = 0;
  for (const { head, data } of sends) {
    const length = Buffer.byteLength(head);
    lengths.push(length, data.length);
    size += length + data.length;
  }
  const all = Buffer.allocUnsafe(size);
  let at = 0;
  for (const { head, data } of sends) {
    at += all.write(head, at);
    all.set(data, at);
    at += data.length;
  }
  return [lengths.join(' '), all];
}

class Script {
  constructor(text) {
    this._text = text;
    this._sha = createHash('sha1').update(text).digest('hex');
  }

  /** @param {{call: (args: (string|Uint8Array)[], key: string) => Promise<any>}} connection */
  async run(connection, keys, args) {
    const rest = [String(keys.length), ...keys, ...args];
    try {
      return await connection.call(['EVALSHA', this._sha, ...rest], keys[0]);
    } catch (err) {
      if (!/^NOSCRIPT/.test(err.message)) throw err;
      return connection.call(['EVAL', this._text, ...rest], keys[0]);
    }
  }
}

module.exports = {
  Script,
  append: new Script(APPEND),
  clock: new Script(CLOCK),
  packed,
  raise: new Script(RAISE),
  since: new Script(SINCE),
};
