'use strict';

// What becomes of data on its way to the wire: the default serialize against JSON.stringify, and those of an application.

const assert = require('node:assert/strict');
const vm = require('node:vm');
const { connected } = require('./support/reader-hub');

const DATA = { name: 'TypeError', code: 'ERR_FAN_DATA' };

describe('framing: serialize', () => {
  const CASES = [
    ...[
      null,
      true,
      0,
      -0,
      1.5,
      NaN,
      Infinity,
      [],
      {},
      [1, [2]],
      { a: undefined, b: 1 },
      [undefined],
      new Date(0),
    ],
    ...[
      new Map([[1, 2]]),
      new Set([1]),
      /x/,
      new Uint16Array([1, 2]),
      new DataView(new ArrayBuffer(2)),
      new Error('x'),
    ],
    ...[
      Object.create(null),
      { toJSON: () => 'text' },
      { toJSON: (key) => [key] },
      new String('boxed'),
      new Number(1),
    ],
    ...[{ a: 'x\r\ny\0\u2028' }, { '\n': '\ud800' }, vm.runInNewContext('({ other: "realm" })')],
  ];

  /** What a client of a hub with this `serialize` gets for each of `list`. */
  async function received(serialize, list) {
    const { hub, stream, close } = await connected(serialize === undefined ? {} : { serialize });
    for (const data of list) hub.broadcast(data);
    const data = await stream.data(list.length);
    await close();
    return data;
  }

  it('is JSON.stringify by default, but for strings and bytes', async () => {
    assert.deepEqual(
      await received(undefined, CASES),
      CASES.map((data) => JSON.stringify(data)),
    );
    const shared = new Uint8Array(new SharedArrayBuffer(2)).fill(65);
    const other = vm.runInNewContext('new Uint8Array([65, 66])');
    const pooled = Buffer.from('xABCy').subarray(1, 4);
    const list = [
      '',
      ' ',
      'text',
      '"x"',
      Buffer.from('é'),
      pooled,
      shared,
      other,
      new Uint8Array(0),
    ];
    assert.deepEqual(await received(undefined, list), [
      '',
      ' ',
      'text',
      '"x"',
      'é',
      'ABC',
      'AA',
      'AB',
      '',
    ]);
  });

  it('JSON.stringify makes strings JSON too', async () => {
    const list = ['', 'text', ' "x"\n', ...CASES];
    assert.deepEqual(
      await received(JSON.stringify, list),
      list.map((data) => JSON.stringify(data)),
    );
  });

  it('keeps line ends and leading spaces of one of your own', async () => {
    const list = ['a\nb', ' token', '  two', '\n', '\r\n x', ':', 'id: 1', '\ttab', ''];
    assert.deepEqual(
      await received(
        ({ v }) => v,
        list.map((v) => ({ v })),
      ),
      list.map((text) => text.replace('\r\n', '\n')),
    );
    const bytes = await received(({ v }) => Buffer.from(v), [{ v: ' a\nb' }]);
    assert.deepEqual(bytes, [' a\nb']);
  });

  it('must answer text or bytes', async () => {
    for (const answer of [
      1,
      undefined,
      null,
      {},
      [],
      true,
      Symbol('x'),
      1n,
      () => {},
      new ArrayBuffer(1),
      new String('x'),
    ]) {
      const { hub, client, stream, senders, close } = await connected({ serialize: () => answer });
      for (const sender of Object.values(senders)) assert.throws(() => sender('x'), DATA);
      assert.throws(() => client.close({ data: 'x' }), DATA);
      assert.deepEqual([hub.stats().events, hub.stats().encodes, client.closed], [0, 0, null]);
      await close();
      await stream.end();
      assert.equal(stream.text, ':\n');
    }
  });

  it('may throw: that is the cause', async () => {
    for (const cause of [new Error('no'), 'text', undefined, null]) {
      const serialize = () => {
        throw cause;
      };
      const { hub, stream, senders, close } = await connected({ serialize });
      for (const sender of Object.values(senders)) {
        assert.throws(() => sender('x'), { ...DATA, ...(cause instanceof Error && { cause }) });
      }
      assert.equal(hub.stats().events, 0);
      await close();
      await stream.end();
      assert.equal(stream.text, ':\n');
    }
  });
});
