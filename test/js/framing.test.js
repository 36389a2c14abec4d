'use strict';

// What is sent is what an independent parser gives back, for every kind of data and every field: properties over random
// values, through a real connection. The seed stands in the title; FANLINE_SEED=n runs it again.

const assert = require('node:assert/strict');
const fc = require('fast-check');
const { createParser } = require('eventsource-parser');
const { createHub } = require('fanline');
const { open } = require('./support/open');
const { serve } = require('./support/serve');

const SEED = Number(process.env.FANLINE_SEED ?? Date.now() % 2 ** 31);
const MIB = 1 << 20;

/** What a parser hands to the page for this text (WHATWG HTML 9.2.6): line ends are LF, and there are no lone surrogates. */
function asReceived(text) {
  return text.toWellFormed().replace(/\r\n|\r/g, '\n');
}

// ---- random values ----

const nasty = fc.constantFrom(
  ...[
    '\r',
    '\n',
    '\r\n',
    '\n\n',
    '\r\r',
    '\0',
    '\ufeff',
    ' ',
    '  ',
    ':',
    ': ',
    '\t',
    '\x0b',
    '\f',
    '\x85',
  ],
  ...[
    '\u2028',
    '\u2029',
    '😀',
    '\ud83d',
    '\ude00',
    '\ud800',
    '\udfff',
    'é',
    '€',
    '\uffff',
    '\x7f',
    '\x80',
  ],
  ...[
    'data: ',
    'data',
    'event: x',
    'id: 1',
    'retry: 1',
    '\ndata: x',
    '\n\ndata: x\n\n',
    '\r\n\r\n',
    '0\r\n\r\n',
    '5\r\n',
  ],
);
const unit16 = fc.nat(0xffff).map((code) => String.fromCharCode(code));
const piece = fc.oneof(
  nasty,
  unit16,
  fc.string({ unit: 'binary', maxLength: 8 }),
  fc.string({ maxLength: 20 }),
);
const text = fc.array(piece, { maxLength: 12 }).map((pieces) => pieces.join(''));

const noBreaks = (value) => value.replace(/[\r\n\0]/g, '');
const eventName = text.map(noBreaks).filter((name) => name !== '' && !name.startsWith('fanline:'));
const eventId = fc.oneof(
  text.map(noBreaks).filter((id) => !id.startsWith('fanline:')),
  fc.maxSafeNat(),
  fc.constantFrom(0, 2 ** 53 - 1, ''),
);
const retry = fc.oneof(fc.nat(2 ** 31 - 1), fc.constantFrom(0, 2 ** 31 - 1));
const bytes = fc.oneof(
  text.map((value) => Buffer.from(value)),
  text.map((value) => new Uint8Array(Buffer.from(`12${value}3`)).subarray(2)),
  fc.uint8Array({ maxLength: 60 }),
);
const json = fc.jsonValue({ stringUnit: 'binary' }).filter((value) => typeof value !== 'string');

const optional = (arbitrary) => fc.option(arbitrary, { nil: undefined, freq: 3 });
const send = fc.record({
  kind: fc.constantFrom('broadcast', 'room', 'client'),
  data: fc.oneof(text, text, bytes, json),
  event: optional(eventName),
  id: optional(eventId),
  retry: optional(retry),
});
const comment = fc.record({ kind: fc.constant('comment'), text });
const step = fc.oneof({ weight: 6, arbitrary: send }, { weight: 1, arbitrary: comment });

function dataAsReceived(data) {
  if (typeof data === 'string') return asReceived(data);
  if (data instanceof Uint8Array)
    return asReceived(new TextDecoder('utf-8', { ignoreBOM: true }).decode(data));
  return asReceived(JSON.stringify(data));
}

function eventAsReceived({ data, event, id }) {
  const expected = { data: dataAsReceived(data) };
  if (event !== undefined) expected.event = event.toWellFormed();
  if (id !== undefined) expected.id = String(id).toWellFormed();
  return expected;
}

/** Without the fields that are undefined. */
function plain({ data, event, id }) {
  return { data, ...(event !== undefined && { event }), ...(id !== undefined && { id }) };
}

/** What the parser makes of `raw`, fed in pieces of these sizes, again and again. */
function parsedInPieces(raw, sizes) {
  const events = [];
  const retries = [];
  const comments = [];
  const parser = createParser({
    onEvent: (event) => events.push(plain(event)),
    onRetry: (ms) => retries.push(ms),
    onComment: (line) => comments.push(line),
  });
  const decoder = new TextDecoder('utf-8', { ignoreBOM: true });
  for (let at = 0, n = 0; at < raw.length; at += sizes[n++ % sizes.length]) {
    const chunk = raw.subarray(at, at + sizes[n % sizes.length]);
    parser.feed(decoder.decode(chunk, { stream: true }));
  }
  return { events, retries, comments };
}

describe(`framing (FANLINE_SEED=${SEED})`, function () {
  this.timeout(30_000);
  let hub;
  let server;
  let client;
  let stream;

  before(async () => {
    hub = createHub({ retry: false, heartbeat: false, history: false });
    server = await serve((req, res) => {
      client = hub.connect(req, res, { rooms: 'room' });
    });
    stream = await open(server.url);
    await stream.until(({ text: got }) => got !== '');
  });
  after(async () => {
    await hub.close({ grace: 0 });
    await server.close();
  });

  const SENDERS = {
    broadcast: (data, opts) => hub.broadcast(data, opts),
    room: (data, opts) => hub.to('room').send(data, opts),
    client: (data, opts) => client.send(data, opts),
  };

  let marks = 0;
  /** Does `act`, and answers all that has arrived because of it: what is in front of a mark that follows it. */
  async function bytesOf(act) {
    stream.text = '';
    stream.events.length = 0;
    stream.comments.length = 0;
    act();
    const mark = `event: mark\ndata: ${++marks}\n\n`;
    hub.broadcast(marks, { event: 'mark' });
    await stream.until(({ text: got }) => got.endsWith(mark));
    stream.events.pop();
    return Buffer.from(stream.text.slice(0, -mark.length));
  }

  it('gives back every event and comment, whatever is in them', async () => {
    const pieces = fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1, maxLength: 8 });
    const property = fc.asyncProperty(
      fc.array(step, { minLength: 1, maxLength: 25 }),
      pieces,
      async (steps, sizes) => {
        const raw = await bytesOf(() => {
          for (const { kind, data, text: line, event, id, retry: ms } of steps) {
            if (kind === 'comment') client.comment(line);
            else SENDERS[kind](data, { event, id, retry: ms });
          }
        });
        const sends = steps.filter(({ kind }) => kind !== 'comment');
        const events = sends.map(eventAsReceived);
        assert.deepEqual(stream.events.map(plain), events);
        const again = parsedInPieces(raw, sizes);
        assert.deepEqual(again.events, events);
        assert.deepEqual(
          again.retries,
          sends.map((sent) => sent.retry).filter((ms) => ms !== undefined),
        );
        const said = steps
          .filter(({ kind }) => kind === 'comment')
          .flatMap((sent) => asReceived(sent.text).split('\n'));
        assert.deepEqual(
          again.comments,
          said.map((line) => line.replace(/^ /, '')),
        ); // the parser takes a space as ours
        assert.equal(client.closed, null);
      },
    );
    await fc.assert(property, { seed: SEED, numRuns: 2_000 });
  });

  it('writes id, event, retry, data in this order, LF only, one space, one blank line', async () => {
    const raw = await bytesOf(() =>
      hub.broadcast('a\r\nb\rc\n\n d', { event: 'e', id: 7, retry: 0 }),
    );
    assert.equal(
      raw.toString(),
      'id: 7\nevent: e\nretry: 0\ndata: a\ndata: b\ndata: c\ndata: \ndata:  d\n\n',
    );
    assert.equal((await bytesOf(() => client.comment('a\r\n\rb'))).toString(), ':a\n:\n:b\n');
    assert.equal((await bytesOf(() => client.comment())).toString(), ':\n');
    assert.equal((await bytesOf(() => client.retry(5))).toString(), 'retry: 5\n');
  });

  for (const [name, one] of Object.entries({
    ascii: 'x',
    'two bytes': 'é',
    'four bytes': '😀',
    surrogate: '\ud800',
  })) {
    const width = Buffer.byteLength(one);
    const fits = one.repeat(Math.floor(MIB / width)) + 'y'.repeat(MIB % width);

    it(`takes 1 MiB, and not a byte more: ${name}`, async () => {
      for (const data of [fits, Buffer.from(fits)]) {
        await bytesOf(() => hub.broadcast(data));
        assert.equal(stream.events.length, 1);
        assert.ok(stream.events[0].data === fits.toWellFormed(), 'the same text');
      }
      const raw = await bytesOf(() => {
        for (const data of [`${fits}y`, Buffer.from(`${fits}y`), { a: fits }]) {
          for (const sender of Object.values(SENDERS)) {
            assert.throws(() => sender(data), { name: 'RangeError', code: 'ERR_FAN_TOO_LARGE' });
          }
        }
        assert.throws(() => client.comment(`${fits}y`), { code: 'ERR_FAN_TOO_LARGE' });
        assert.throws(() => hub.to('nobody').send(`${fits}y`), { code: 'ERR_FAN_TOO_LARGE' });
      });
      assert.equal(raw.length, 0);
    });
  }

  it('takes long names whole or not at all', async () => {
    for (const name of ['x'.repeat(4096), `${'x'.repeat(4093)}€`, '😀'.repeat(1024)]) {
      await bytesOf(() => hub.broadcast('', { event: name, id: name }));
      assert.deepEqual(stream.events.map(plain), [{ data: '', event: name, id: name }]);
    }
    const raw = await bytesOf(() => {
      for (const name of [
        'x'.repeat(4097),
        `${'x'.repeat(4094)}€`,
        `${'x'.repeat(4095)}😀`,
        'x'.repeat(MIB),
      ]) {
        for (const opts of [{ event: name }, { id: name }]) {
          for (const sender of [
            ...Object.values(SENDERS),
            (data, o) => hub.to('nobody').send(data, o),
          ]) {
            assert.throws(() => sender('', opts), {
              name: 'RangeError',
              code: 'ERR_FAN_TOO_LARGE',
            });
          }
        }
      }
    });
    assert.equal(raw.length, 0);
  });

  it('splits a megabyte of line breaks, and long lines', async () => {
    for (const data of [
      '\n'.repeat(100_000),
      '\r\n'.repeat(50_000),
      `${'a'.repeat(300_000)}\r${'b'.repeat(300_000)}`,
    ]) {
      await bytesOf(() => hub.broadcast(data));
      assert.equal(stream.events.length, 1);
      assert.ok(stream.events[0].data === asReceived(data), 'the same text');
    }
  });
});
