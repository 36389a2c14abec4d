'use strict';

const assert = require('node:assert/strict');
const { once } = require('node:events');
const { Readable } = require('node:stream');
const { UUID, forBoth, staged, take, when } = require('./support');

async function* numbers() {
  yield 1;
  yield 2;
}

const read = (text) => text.replace(/[0-9a-f]{8}-[0-9a-f-]{27}/g, 'UUID');

forBoth('EventBuffer', (lib) => {
  it('is read as the text of its fields, in order', () => {
    const buffer = lib.createEventBuffer();
    assert(buffer instanceof lib.EventBuffer);
    buffer.event('e').data({ a: 1 }).id('i').retry(3).comment('c').dispatch().id().comment();
    assert.equal(buffer.read(), 'event:e\ndata:{"a":1}\nid:i\nretry:3\n:c\n\nid:\n:\n');
  });

  it('is emptied by clear', () => {
    const buffer = lib.createEventBuffer().data(1).dispatch();
    assert.equal(buffer.clear(), buffer);
    assert.equal(buffer.read(), '');
  });

  it('takes whole events', () => {
    const buffer = lib.createEventBuffer().push('a', 'e', 'i').push('b');
    assert.equal(
      read(buffer.read()),
      'event:e\nid:i\ndata:"a"\n\nevent:message\nid:UUID\ndata:"b"\n\n',
    );
  });

  it('writes through its own serializer and sanitizer', () => {
    const options = { serializer: String, sanitizer: (text) => text.toUpperCase() };
    const buffer = lib.createEventBuffer(options).event('e').id('i').data('d').comment('c');
    assert.equal(buffer.read(), 'event:E\nid:I\ndata:D\n:C\n');
  });

  it('trims line breaks at the end', () => {
    const buffer = lib
      .createEventBuffer({ serializer: String })
      .event('e\n')
      .id('i\r\n')
      .data('d\r\r');
    assert.equal(buffer.read(), 'event:e\nid:i\ndata:d\n');
  });

  it('takes what iterables and streams have', async () => {
    const buffer = lib.createEventBuffer();
    assert.equal(await buffer.iterate(numbers()), undefined);
    assert.equal(await buffer.stream(Readable.from(['s'])), true);
    await buffer.iterate(['x'], { eventName: 'i' });
    await buffer.stream(Readable.from(['y']), { eventName: 's' });
    const events = [
      ['iteration', 1],
      ['iteration', 2],
      ['stream', '"s"'],
      ['i', '"x"'],
      ['s', '"y"'],
    ];
    const text = events.map(([name, data]) => `event:${name}\nid:UUID\ndata:${data}\n\n`).join('');
    assert.equal(read(buffer.read()), text);
  });
});

forBoth('Session sources', (lib) => {
  const stage = staged(lib);
  const dataOf = (events) => events.map((event) => event[2]);

  describe('batch', () => {
    it('sends what a function has written, once it is through', async () => {
      const { session, stream } = await stage().open();
      const answer = await session.batch(async (buffer) => {
        assert(buffer instanceof lib.EventBuffer);
        buffer
          .push('a', 'e', 'i')
          .comment('remark')
          .event('two')
          .id('7')
          .data('x')
          .data('y')
          .dispatch();
        await buffer.iterate([1]);
      });
      assert.equal(answer, undefined);
      const [a, two, one] = await take(stream, 3);
      assert.deepEqual(
        [a, two],
        [
          ['e', 'i', '"a"'],
          ['two', '7', '"x"\n"y"'],
        ],
      );
      assert.deepEqual([one[0], one[2]], ['iteration', '1']);
      assert.match(one[1], UUID);
      assert.deepEqual(
        stream.comments.filter((text) => text !== ''),
        ['remark'],
      );
    });

    it('writes with what the session has', async () => {
      const { session, stream } = await stage().open({
        serializer: (data) => `<${data}>`,
        sanitizer: (text) => text.trim(),
      });
      await session.batch((buffer) => {
        buffer.push('d', ' e ', ' i ');
      });
      assert.deepEqual(await take(stream, 1), [['e', 'i', '<d>']]);
    });

    it('sends a buffer, as often as it is asked to', async () => {
      const { session, stream } = await stage().open();
      const buffer = lib.createEventBuffer().push('a', 'e', 'i');
      await session.batch(buffer);
      await session.batch(buffer);
      assert.deepEqual(await take(stream, 2), [
        ['e', 'i', '"a"'],
        ['e', 'i', '"a"'],
      ]);
    });

    it('sends a delay to come back', async () => {
      const { session, stream } = await stage().open();
      const told = async (write) => {
        await session.batch(write);
        await stream.next();
        return stream.retry;
      };
      assert.equal(await told((buffer) => void buffer.retry(77).dispatch().push(1)), 77);
      assert.equal(await told((buffer) => void buffer.retry(78).data(1).dispatch()), 78);
    });

    it('rejects with what the function throws, and sends nothing', async () => {
      const { session, stream } = await stage().open();
      const fails = (buffer) => {
        buffer.push('lost');
        throw new Error('of the function');
      };
      await assert.rejects(session.batch(fails), /of the function/);
      await assert.rejects(
        session.batch(async (buffer) => fails(buffer)),
        /of the function/,
      );
      session.push('next');
      assert.deepEqual(dataOf(await take(stream, 1)), ['"next"']);
    });

    it('rejects with a TypeError where there is neither', async () => {
      const { session } = await stage().open();
      await assert.rejects(session.batch(5), TypeError);
      await assert.rejects(session.batch(), TypeError);
    });

    it('is neither told by `push` nor the last id', async () => {
      const { session } = await stage().open();
      session.on('push', () => assert.fail('told'));
      await session.batch((buffer) => {
        buffer.push('a', 'e', 'i');
      });
      assert.equal(session.lastId, '');
    });

    it('does nothing once the session is over', async () => {
      const { session, stream } = await stage().open();
      stream.close();
      await once(session, 'disconnected');
      await session.batch(lib.createEventBuffer().push(1));
    });
  });

  describe('iterate', () => {
    it('sends each value of whatever can be iterated', async () => {
      const { session, stream } = await stage().open();
      assert.equal(await session.iterate([1, Promise.resolve('p')]), undefined);
      await session.iterate(numbers(), { eventName: 'n' });
      await session.iterate(new Map([['k', 'v']]));
      const events = await take(stream, 5);
      assert.deepEqual(dataOf(events), ['1', '"p"', '1', '2', '["k","v"]']);
      const names = ['iteration', 'iteration', 'n', 'n', 'iteration'];
      assert.deepEqual(
        events.map(([name]) => name),
        names,
      );
    });

    it('rejects with what the iterable throws, behind what it gave', async () => {
      const { session, stream } = await stage().open();
      const fails = (function* () {
        yield 'before';
        throw new Error('of the iterable');
      })();
      await assert.rejects(session.iterate(fails), /of the iterable/);
      await assert.rejects(session.iterate(5), TypeError);
      assert.deepEqual(dataOf(await take(stream, 1)), ['"before"']);
    });

    it('rejects when the reader leaves, and the iterable is told', async () => {
      const { session, stream } = await stage().open();
      let isTold = false;
      async function* endless() {
        try {
          for (;;) yield await new Promise((resolve) => setTimeout(resolve, 1, 'x'));
        } finally {
          isTold = true;
        }
      }
      const done = session.iterate(endless());
      await take(stream, 1);
      stream.close();
      await assert.rejects(done, lib.SseError);
      assert.equal(isTold, true);
    });
  });

  describe('stream', () => {
    it('sends each chunk of a Node stream, bytes as text', async () => {
      const { session, stream } = await stage().open();
      assert.equal(await session.stream(Readable.from([1, 'a', { x: 1 }])), true);
      assert.equal(
        await session.stream(Readable.from([Buffer.from('bü')]), { eventName: 'b' }),
        true,
      );
      const events = await take(stream, 4);
      assert.deepEqual(dataOf(events), ['1', '"a"', '{"x":1}', '"bü"']);
      assert.deepEqual(
        events.map(([name]) => name),
        ['stream', 'stream', 'stream', 'b'],
      );
    });

    it('sends each chunk of a web stream as it is', async () => {
      const { session, stream } = await stage().open();
      const source = new ReadableStream({
        start(controller) {
          for (const chunk of ['w', { z: 1 }, new Uint8Array([65])]) controller.enqueue(chunk);
          controller.close();
        },
      });
      assert.equal(await session.stream(source), true);
      assert.deepEqual(dataOf(await take(stream, 3)), ['"w"', '{"z":1}', '{"0":65}']);
    });

    it('rejects with what the stream fails with', async () => {
      const { session } = await stage().open();
      const node = new Readable({
        read() {
          this.destroy(new Error('of the stream'));
        },
      });
      const web = new ReadableStream({
        start(controller) {
          controller.error(new Error('of the stream'));
        },
      });
      await assert.rejects(session.stream(node), /of the stream/);
      await assert.rejects(session.stream(web), /of the stream/);
      await assert.rejects(session.stream(5), TypeError);
    });

    it('resolves when the stream is destroyed without an error', async () => {
      const { session } = await stage().open();
      const source = new Readable({ read() {} });
      const done = session.stream(source);
      source.destroy();
      assert.equal(await done, true);
    });

    it('rejects when the reader leaves, and the stream is destroyed', async () => {
      const { session, stream } = await stage().open();
      async function* endless() {
        for (;;) yield await new Promise((resolve) => setTimeout(resolve, 1, 'x'));
      }
      const source = Readable.from(endless());
      const done = session.stream(source);
      await take(stream, 1);
      stream.close();
      await assert.rejects(done, lib.SseError);
      await when(() => source.destroyed, 'a destroyed source');
    });
  });
});
