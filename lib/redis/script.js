'use strict';

// What happens in the server, at once: a batch of sends goes to the end of the stream, unless it is there already.
//
//   stream   id → one field: the id before it, its number in its process, and its head are its name; its value is the data
//   last     the id of the last event, so that whoever reads notices when something is missing between two
//   batch    of each process: the number of the batch that came last, and the first id that it got
//   heads    sorted set: the heads of the last events, each with the id (as a number) of its last one, and '' with the id behind
//            which that is complete: by it a process sees what it may pass over
//
// They lie in one slot of a Cluster: their names share a `{tag}`.

const { createHash } = require('node:crypto');
const { PER_MS, idOf, seqOf } = require('../distribution/ids');

const HEADS = 4_096; // known at most
const HEAD_LENGTH = 512; // of the longest of them

/*
 * KEYS  stream, last, batch, heads
 * ARGV  number of the first send, ms that the batch is remembered, maxLen, maxAge in ms (0: none), lengths of head and data of each (=:
 *       the head is that of the one before), all of these as one: libraries take long for many arguments
 *
 * Ids are ours, not Redis': never less than the clock, always more than the one before, at most PER_MS in a millisecond. Those of
 * a batch follow each other (idsFrom), so the first one says it all. Heads are written first: where that is refused, nothing has been
 * sent; and a head too many only makes somebody read.
 */
const APPEND = `
if redis.replicate_commands then redis.replicate_commands() end
local stream, lastKey, batchKey, headsKey = KEYS[1], KEYS[2], KEYS[3], KEYS[4]
local first = tonumber(ARGV[1])

local batch = redis.call('GET', batchKey)
if batch then
  local done = tonumber(string.match(batch, '^%d+'))
  if first < done then return redis.error_reply('STALE a batch that was accepted long ago') end
  if first == done then return string.match(batch, ' (.*)') end
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
local before = string.format('%.0f', ms * ${PER_MS} + n)
local firstId, said
local heads, scored = {}, 0
local adds, added = {}, 0
local number, at = first, 1
for head, data in string.gmatch(ARGV[5], '(%S+) (%d+)') do
  local dataAt = head == '=' and at or at + head
  local behind = dataAt + data
  if now > ms then ms, n = now, 0
  elseif n + 1 < ${PER_MS} then n = n + 1
  else ms, n = ms + 1, 0 end
  local id = string.format('%.0f-%d', ms, n)
  if head ~= '=' then
    said = string.sub(ARGV[6], at, dataAt - 1)
    scored = scored + 2
    heads[scored] = #said <= ${HEAD_LENGTH} and said or ''
  end
  heads[scored - 1] = string.format('%.0f', ms * ${PER_MS} + n)
  adds[added + 1], adds[added + 2] = id, string.format('%s %.0f ', last, number) .. said
  adds[added + 3] = string.sub(ARGV[6], dataAt, behind - 1)
  added = added + 3
  firstId = firstId or id
  last, number, at = id, number + 1, behind
end
if redis.call('ZADD', headsKey, unpack(heads)) > 0 then
  if not redis.call('ZSCORE', headsKey, '') then redis.call('ZADD', headsKey, before, '') end
  if redis.call('ZCARD', headsKey) > ${HEADS} then
    local middle = redis.call('ZRANGE', headsKey, ${HEADS / 2}, ${HEADS / 2}, 'WITHSCORES')[2]
    redis.call('ZREMRANGEBYSCORE', headsKey, '-inf', middle)
    if not redis.call('ZSCORE', headsKey, '') then redis.call('ZADD', headsKey, middle, '') end
  end
end
for i = 1, added, 3 do
  redis.call('XADD', stream, 'MAXLEN', '~', ARGV[3], adds[i], adds[i + 1], adds[i + 2])
end
redis.call('SET', lastKey, last)
redis.call('SET', batchKey, ARGV[1] .. ' ' .. firstId, 'PX', ARGV[2])
if ARGV[4] ~= '0' then
  redis.call('XTRIM', stream, 'MINID', '~', string.format('%.0f-0', now - tonumber(ARGV[4])))
end
return firstId
`;

/*
 * KEYS  last, heads
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
redis.call('DEL', KEYS[2])
return id
`;

/*
 * KEYS  heads, last, answers, stream
 * ARGV  an id, the same as a number, behind which id answers are read, at most so many heads
 * What has come behind that id: the last id, and of each head that was among it the head and the number of its last id. Nothing at
 * all: that is not known, or there are answers; it must be read. A server that does not know that event
 * has let go of it, or lost it: whoever reads on sees it.
 */
const SKIM = `
if #redis.call('XRANGE', KEYS[4], ARGV[1], ARGV[1]) == 0 then return {} end
local since = redis.call('ZSCORE', KEYS[1], '')
if not since or tonumber(since) > tonumber(ARGV[2]) then return {} end
if #redis.call('XRANGE', KEYS[3], ARGV[3], '+', 'COUNT', 1) > 0 then return {} end
local found = redis.call('ZRANGEBYSCORE', KEYS[1], '(' .. ARGV[2], '+inf', 'WITHSCORES', 'LIMIT', 0, ARGV[4] + 1)
if #found > 2 * ARGV[4] then return {} end
table.insert(found, 1, redis.call('GET', KEYS[2]) or '')
return found
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
if oldest then return string.match(oldest[2][1], '^%d+%-%d+') or '0-0' end
local last = redis.call('GET', KEYS[2])
if not last then
  last = ARGV[1] .. '-0'
  redis.call('SET', KEYS[2], last)
end
return last
`;

/**
 * What APPEND wants of some sends.
 * @param {{head: string, data: Uint8Array, text?: string}[]} sends
 * @returns {[string, Buffer]} lengths, and all of it
 */
function packed(sends) {
  const lengths = [];
  let size = 0;
  let last = null;
  for (const send of sends) {
    const isSame = send.head === last;
    const head = isSame ? 0 : Buffer.byteLength(send.head);
    const data = Buffer.byteLength(send.text ?? send.data);
    lengths.push(isSame ? '=' : head, data);
    size += head + data;
    last = send.head;
  }
  const all = Buffer.allocUnsafe(size);
  let at = 0;
  last = null;
  for (const send of sends) {
    if (send.head !== last) at += all.write(send.head, at);
    last = send.head;
    if (send.text === undefined) {
      all.set(send.data, at);
      at += send.data.length;
    } else at += all.write(send.text, at);
  }
  return [lengths.join(' '), all];
}

/**
 * The ids of a batch.
 * @param {string} id the first one
 * @returns {string[]}
 */
function idsFrom(id, count) {
  const seq = seqOf(id);
  return Array.from({ length: count }, (_, i) => idOf(seq + i));
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
  idsFrom,
  packed,
  raise: new Script(RAISE),
  since: new Script(SINCE),
  skim: new Script(SKIM),
};
