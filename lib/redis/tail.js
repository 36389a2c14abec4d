'use strict';

// Follows the stream on a connection of its own, and tells the hub what comes, what is missing, and whether there is a server.

const { Paging } = require('../distribution/paging');
const { numberIn, seqOf } = require('../distribution/ids');
const { explain } = require('./failure');
const { clock, raise, since, skim } = require('./script');
const { Vigil, within } = require('./within');

const BLOCK = 2_000; // ms; a look at the whole after each
const LATE = 5_000; // ms beyond that without an answer: the connection is dead
const PAGE_BYTES = 4 << 20;
const USELESS = 8; // pages in a row: from then on it looks only at what there is
const QUIET = 100; // ms between two looks then
const SPARE = 2; // of these times what comes is still there
const HEADS = 256; // that a look may find; more of them are read
const AGAIN_MIN = 100; // ms; doubles
const AGAIN_MAX = 2_000;
const NOTHING = '0-0';

/**
 * [id, [lead and head (see script.js), data]] as the hub wants it.
 * @param {string} expected the id that should be the one before
 * @returns {object|null} null: none of ours
 */
function entryOf([id, fields], expected) {
  if (fields.length !== 2) return null;
  const text = fields[0].toString();
  const previousEnd = text.indexOf(' ');
  const numberEnd = text.indexOf(' ', previousEnd + 1);
  if (numberEnd < 0) return null;
  const isNext = previousEnd === expected.length && text.startsWith(expected);
  const previous = isNext ? expected : text.slice(0, previousEnd);
  const number = numberIn(text, previousEnd + 1, numberEnd);
  if (number < 0 || (!isNext && seqOf(previous) < 0)) return null;
  return {
    id: id.toString('latin1'),
    previous,
    number,
    head: text.slice(numberEnd + 1),
    data: fields[1],
  };
}

/** Where a range begins that does not have this id itself: Redis before 6.2 knows no `(`. */
function behind(id) {
  const dash = id.indexOf('-');
  return `${id.slice(0, dash)}-${BigInt(id.slice(dash + 1)) + 1n}`;
}

/** The entries of XRANGE, or of the one stream of XREAD. @param {string} [last] the id that should be before the first */
function entriesOf(list, last = NOTHING) {
  const entries = [];
  let expected = last;
  for (const one of list ?? []) {
    const entry = entryOf(one, expected);
    if (entry === null) continue;
    entries.push(entry);
    expected = entry.id;
  }
  return entries;
}

/** What XREAD says, by stream: pairs in RESP2; in RESP3 a map, which each library shows in its own way. */
function streamsOf(reply) {
  if (reply instanceof Map) return [...reply];
  if (!Array.isArray(reply)) return Object.entries(reply);
  if (Array.isArray(reply[0])) return reply;
  const pairs = [];
  for (let i = 0; i < reply.length; i += 2) pairs.push([reply[i], reply[i + 1]]);
  return pairs;
}

/**
 * The id of the last event that there was.
 * @param {object} connection
 * @param {{stream: string, last: string}} keys
 */
async function lastOf(connection, { last, stream }) {
  const found = await connection.call(['GET', last], last);
  if (found !== null) return String(found);
  const [top] = await connection.call(['XREVRANGE', stream, '+', '-', 'COUNT', '1'], stream);
  return top === undefined ? NOTHING : String(top[0]);
}

class Tail {
  /**
   * @param {() => object} connect a connection of our own (client.js)
   * @param {{stream: string, last: string, answers: string, heads: string}} keys
   * @param {object} host see docs/adapters.md
   * @param {{maxLen: number, maxAge: number}} kept of the stream
   */
  constructor(connect, keys, host, { maxLen, maxAge }) {
    this._connect = connect;
    this._keys = keys;
    this._host = host;
    this._made = performance.now();
    this._connection = null;
    this._why = null; // the last error that the connection has told
    this._cursor = null; // id behind which is read; null: not yet known
    this._last = NOTHING; // the event that came last, or that is known to be gone
    this._answered = NOTHING; // where the answers are read
    this._paging = new Paging(PAGE_BYTES);
    this._useless = 0; // pages in quick succession of which nobody here had a use
    this._cameAt = 0;
    this._since = 0; // when the first of these was asked for
    this._came = 0; // events in these
    this._most = maxAge > 0 && maxAge < SPARE * QUIET ? 0 : maxLen / SPARE; // events that may come between two looks
    this._isClosed = false;
    this._wake = null;
  }

  /** Resolves when closed. */
  async run() {
    const vigil = new Vigil(BLOCK + LATE);
    await this._run(vigil);
    vigil.end();
  }

  async _run(vigil) {
    for (let delay = AGAIN_MIN; !this._isClosed; delay = Math.min(AGAIN_MAX, delay * 2)) {
      try {
        await this._open();
        await this._look();
        delay = AGAIN_MIN;
        this._host.state('ready');
        await this._follow(vigil);
      } catch (err) {
        if (this._isClosed) return;
        this._host.state('down', explain(this._why ?? err));
        this._drop();
        await this._pause(delay);
      }
    }
  }

  async _open() {
    const connection = this._connect();
    this._connection = connection;
    this._why = null;
    connection.client.on('error', (err) => {
      if (this._connection === connection) this._why = err;
    });
    await within(connection.connect(), LATE);
  }

  /** What was accepted since this hub was made comes here, however long it took to find the server. */
  async _start() {
    const { stream, last } = this._keys;
    const [seconds, micros] = await within(clock.run(this._connection, [stream], []), LATE);
    const now = seconds * 1_000 + micros / 1_000;
    const made = Math.floor(now - (performance.now() - this._made)) - 1; // ids of the same ms may be older
    const behind = since.run(this._connection, [stream, last], [String(made)]);
    this._stand(String(await within(behind, LATE)));
    this._host.started(this._cursor);
  }

  /** Is something gone that never came? */
  async _look() {
    if (this._cursor === null) await this._start();
    const last = await within(lastOf(this._connection, this._keys), LATE);
    if (seqOf(last) < seqOf(this._last)) {
      // Somebody has emptied it, or a server has taken over that had not got everything. Ids go on behind where they were.
      const { last, heads } = this._keys;
      const raised = raise.run(this._connection, [last, heads], [this._last]);
      this._stand(String(await within(raised, LATE)));
      await this._host.lost(this._last);
    } else if (seqOf(last) > seqOf(this._last) && !(await this._hasMore())) {
      this._stand(last);
      await this._host.lost(last);
    }
  }

  _stand(id) {
    this._cursor = id;
    this._last = id;
  }

  async _hasMore() {
    const range = ['XRANGE', this._keys.stream, behind(this._cursor), '+', 'COUNT', '1'];
    return (await within(this._call(range), LATE)).length > 0;
  }

  /** A process whose clients get nothing of a busy stream looks from time to time whether that is still so, and reads nothing. */
  async _follow(vigil) {
    this._useless = 0;
    while (!this._isClosed) {
      while (this._useless > USELESS && (await this._passed(vigil)));
      if (this._isClosed) return;
      const args = ['XREAD', 'COUNT', String(this._paging.count), 'BLOCK', String(BLOCK)];
      const streams = [this._keys.stream, this._keys.answers, this._cursor, this._answered];
      const reply = await vigil.over(this._call([...args, 'STREAMS', ...streams]));
      if (reply === null) await this._look();
      else for (const [name, list] of streamsOf(reply)) await this._tookFrom(String(name), list);
    }
  }

  /** @returns {Promise<boolean>} after a while: what came is for nobody here, and is passed over. Not known: false */
  async _passed(vigil) {
    await this._pause(QUIET);
    if (this._isClosed || this._useless === 0) return false;
    const { heads, last, answers, stream } = this._keys;
    const from = [this._cursor, String(seqOf(this._cursor)), behind(this._answered), String(HEADS)];
    const skimmed = skim.run(this._connection, [heads, last, answers, stream], from);
    const [top, ...found] = (await vigil.over(skimmed)).map(String);
    if (this._isClosed || top === undefined || !(seqOf(top) > seqOf(this._cursor))) return false;
    const passed = [];
    for (let i = 0; i < found.length; i += 2)
      passed.push({ head: found[i], seq: Number(found[i + 1]) });
    if (!this._host.passed(passed, top)) return false;
    this._stand(top);
    this._cameAt = performance.now();
    return true;
  }

  /** Something is on its way for somebody here. */
  hurry() {
    if (this._useless <= USELESS) return;
    this._useless = 0;
    this._wake?.();
  }

  async _tookFrom(name, list) {
    if (this._isClosed) return; // while the hub took what came before
    if (!name.endsWith(this._keys.answers)) {
      await this._take(entriesOf(list, this._last));
      this._cursor = String(list.at(-1)[0]);
      return;
    }
    for (const [id, [, text]] of list) {
      this._answered = String(id);
      this._host.answered(String(text));
    }
  }

  async _take(entries) {
    let from = 0;
    for (let i = 0; i < entries.length; i++) {
      const { previous, id } = entries[i];
      if (previous !== this._last) {
        await this._pass(entries.slice(from, i));
        if (this._isClosed) return;
        from = i;
        // The engine has let go of something before we have read it.
        await this._host.lost(seqOf(previous) > seqOf(this._last) ? previous : this._last);
      }
      this._last = id;
    }
    await this._pass(from === 0 ? entries : entries.slice(from));
    this._paging.measure(entries);
  }

  async _pass(entries) {
    if (entries.length === 0) return;
    const now = performance.now();
    const isSeldom = now - this._cameAt > 2 * QUIET;
    const isFull = entries.length === this._paging.count; // more of it waits, and may be let go of
    if (this._useless === 0) {
      this._since = this._cameAt;
      this._came = 0;
    }
    this._came += entries.length;
    this._cameAt = now;
    const isOfUse = await this._host.received(entries);
    this._useless = isOfUse || isSeldom || isFull ? 0 : this._useless + 1;
    if (this._useless === USELESS + 1 && this._isFast(now)) this._useless = 0;
  }

  /** Would the stream let go of what comes before it is looked at? */
  _isFast(now) {
    return this._came * QUIET > this._most * (now - this._since);
  }

  _call(args) {
    return this._connection.call(args, this._keys.stream);
  }

  _pause(ms) {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, ms);
      this._wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }

  _drop() {
    this._connection?.close().catch(() => {}); // where there is nothing left to close
    this._connection = null;
  }

  close() {
    this._isClosed = true;
    this._drop();
    this._wake?.();
  }
}

module.exports = { NOTHING, Tail, behind, entriesOf, lastOf };
