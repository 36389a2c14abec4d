'use strict';

// client.pipe() when the client leaves: the source is told at once, whatever it is busy with, and what it makes of that
// concerns nobody.

const assert = require('node:assert/strict');
const fs = require('node:fs');
const { getEventListeners, once } = require('node:events');
const { Readable } = require('node:stream');
const { Led, assertBody, overTransports, unhandledIn } = require('../js/support/pipes');
const { when } = require('../js/support/stage');

const AT_ONCE = 100; // ms
const never = () => new Promise(() => {});

describe('client.pipe(), when the client leaves', () => {
  overTransports((start) => {
    let stage;
    beforeEach(async () => {
      stage = await start();
    });

    it('while next() is pending: return() and the signal within 100 ms', async () => {
      const { client, stream } = await stage.connect();
      const source = new Led();
      let aborted;
      const piped = client.pipe((signal) => {
        signal.addEventListener('abort', () => {
          aborted = performance.now();
        });
        return source;
      });
      await when(() => source.asked === 1);
      const left = performance.now();
      stream.close();
      assert.deepEqual(await piped, { sent: 0, closed: 'client' });
      assert.equal(source.returned.length, 1);
      assert(source.returned[0] - left < AT_ONCE, `return() after ${source.returned[0] - left} ms`);
      assert(aborted - left < AT_ONCE, `the signal after ${aborted - left} ms`);
      assert.equal(source.asked, 1);
    });

    it('an async generator runs to its end, which the signal brings about', async () => {
      const { client, stream } = await stage.connect();
      const steps = [];
      const piped = client.pipe(async function* (signal) {
        try {
          yield 'a';
          await once(new EventTarget(), 'never', { signal });
        } catch (err) {
          steps.push(err.name);
          throw err;
        } finally {
          steps.push('finally');
        }
      });
      await stream.next();
      const unhandled = await unhandledIn(async () => {
        stream.close();
        assert.deepEqual(await piped, { sent: 1, closed: 'client' });
        await when(() => steps.length === 2);
      });
      assert.deepEqual(steps, ['AbortError', 'finally']);
      assert.deepEqual(unhandled, []);
    });

    it('a Readable that has nothing at the moment is destroyed', async () => {
      const { client, stream } = await stage.connect();
      const source = new Readable({ objectMode: true, read() {} });
      const piped = client.pipe(source);
      source.push('a');
      await stream.next();
      const unhandled = await unhandledIn(async () => {
        stream.close();
        assert.deepEqual(await piped, { sent: 1, closed: 'client' });
        assert.equal(source.destroyed, true);
        await when(() => source.closed);
      });
      assert.deepEqual(unhandled, []);
    });

    it('a web stream that has nothing at the moment is cancelled', async () => {
      const { client, stream } = await stage.connect();
      let cancelled = 0;
      let controller;
      const source = new ReadableStream({
        start: (own) => {
          controller = own;
        },
        cancel: () => {
          cancelled++;
          throw new Error('cannot be cancelled');
        },
      });
      const piped = client.pipe(source);
      controller.enqueue('a');
      await stream.next();
      const unhandled = await unhandledIn(async () => {
        stream.close();
        assert.deepEqual(await piped, { sent: 1, closed: 'client' });
      });
      assert.equal(cancelled, 1);
      assert.deepEqual(unhandled, []);
    });

    it('what next() and return() reject with afterwards concerns neither `error` nor the process', async () => {
      const { client, stream } = await stage.connect();
      const source = new Led();
      source.return = () => {
        source.returned.push(performance.now());
        return Promise.reject(new Error('from return()'));
      };
      const told = [];
      const piped = client.pipe(source, { error: (err) => told.push(err) });
      await when(() => source.asked === 1);
      const unhandled = await unhandledIn(async () => {
        stream.close();
        await piped;
        source.fail(new Error('from next()'));
      });
      assert.equal(source.returned.length, 1);
      assert.deepEqual([unhandled, told], [[], []]);
    });

    it('a return() that throws, or that is not there, changes nothing', async () => {
      for (const own of [{ return: undefined }, { return: fail }]) {
        const { client, stream } = await stage.connect();
        const source = Object.assign(new Led(), own);
        const piped = client.pipe(source);
        await when(() => source.asked === 1);
        stream.close();
        assert.deepEqual(await piped, { sent: 0, closed: 'client' });
      }
    });

    it('a chunk that comes afterwards is neither mapped nor sent, and no more are asked for', async () => {
      const { client, stream } = await stage.connect();
      const source = new Led();
      const mapped = [];
      const piped = client.pipe(source, { map: (chunk) => mapped.push(chunk) });
      await when(() => source.asked === 1);
      stream.close();
      await piped;
      source.give('late');
      await new Promise(setImmediate);
      assert.deepEqual([mapped, source.asked, source.returned.length], [[], 1, 1]);
    });

    it('while the source is still to come: it is let go of as soon as it is there', async () => {
      const { client, stream } = await stage.connect();
      let give;
      const piped = client.pipe(
        () =>
          new Promise((resolve) => {
            give = resolve;
          }),
      );
      stream.close();
      assert.deepEqual(await piped, { sent: 0, closed: 'client' });
      const source = new Readable({ read() {} });
      give(source);
      await when(() => source.destroyed);
    });

    it('while the source is still to come, and never does: a rejection is not unhandled', async () => {
      const { client, stream } = await stage.connect();
      let fail;
      const piped = client.pipe(
        () =>
          new Promise((_resolve, reject) => {
            fail = reject;
          }),
      );
      const unhandled = await unhandledIn(async () => {
        stream.close();
        assert.deepEqual(await piped, { sent: 0, closed: 'client' });
        fail(new Error('too late'));
      });
      assert.deepEqual(unhandled, []);
    });

    it('while `map` is busy: the source is told at once', async () => {
      const { client, stream } = await stage.connect();
      const source = new Led();
      let isBusy = false;
      const map = () => {
        isBusy = true;
        return never();
      };
      const piped = client.pipe(source, { map });
      await when(() => source.asked === 1);
      source.give('a');
      await when(() => isBusy);
      stream.close();
      assert.deepEqual(await piped, { sent: 0, closed: 'client' });
      assert.equal(source.returned.length, 1);
    });

    it('while `error` is busy: it resolves, and tells the error', async () => {
      const { client, stream } = await stage.connect();
      const err = new Error('lost');
      let isBusy = false;
      const error = () => {
        isBusy = true;
        return never();
      };
      const piped = client.pipe(() => Promise.reject(err), { error });
      await when(() => isBusy);
      stream.close();
      assert.deepEqual(await piped, { sent: 0, closed: 'client', error: err });
    });

    it('within next(), because of the source itself: it returns as soon as it can', async () => {
      const { client, stream } = await stage.connect();
      let isReturned = false;
      const piped = client.pipe(function* () {
        try {
          yield 'a';
          client.res.emit('close'); // as responses do that are not of a socket: at once
          client.res.destroy();
          for (;;) yield 'b'; // until it is told
        } finally {
          isReturned = true;
        }
      });
      const { sent, closed } = await piped;
      assert.equal(closed, 'client');
      assert.ok(sent >= 1 && sent < 10_000, `${sent} sent`); // what fits before it has to wait
      assert.equal(isReturned, true);
      await stream.end();
    });

    it('within next() of an async iterable: it returns at once, and once', async () => {
      const { client } = await stage.connect();
      const source = new Led();
      const { next } = source;
      source.next = () => {
        client.res.emit('close');
        client.res.destroy();
        return next.call(source);
      };
      assert.deepEqual(await client.pipe(source), { sent: 0, closed: 'client' });
      await new Promise(setImmediate);
      assert.deepEqual([source.asked, source.returned.length], [1, 1]);
    });

    it('close() by the application ends the source with the next chunk', async () => {
      const { client, stream } = await stage.connect();
      const source = new Led();
      const piped = client.pipe(source, { done: '[DONE]', error: () => 'failed' });
      await when(() => source.asked === 1);
      client.close({ data: 'enough' });
      assert.deepEqual(await piped, { sent: 0, closed: 'server' });
      assert.equal(source.returned.length, 1);
      await stream.end();
      assertBody(stream, 'data: enough\n\n');
    });

    it('the source ends behind a close() of the application: it resolves once the stream has ended', async () => {
      const { client, stream } = await stage.connect();
      const source = new Led();
      const piped = client.pipe(source, { end: false, done: 'too late' });
      await when(() => source.asked === 1);
      client.close({ data: 'enough' });
      source.end();
      assert.deepEqual(await piped, { sent: 0, closed: 'server' });
      await stream.end();
      assertBody(stream, 'data: enough\n\n');
    });

    it('hub.close() ends the source', async () => {
      const { client } = await stage.connect();
      const source = new Led();
      const piped = client.pipe(source);
      await when(() => source.asked === 1);
      await stage.hub.close({ grace: 0 });
      assert.deepEqual(await piped, { sent: 0, closed: 'shutdown' });
      assert.equal(source.returned.length, 1);
    });

    it('behind `end: false` nothing of a pipe is left on the signal', async () => {
      const { client, stream } = await stage.connect();
      const source = new Led();
      const piped = client.pipe(source, { end: false });
      await when(() => source.asked === 1);
      source.end();
      assert.deepEqual(await piped, { sent: 0, closed: null });
      assert.equal(getEventListeners(client.signal, 'abort').length, 0);
      stream.close();
      await when(() => client.closed !== null);
      assert.deepEqual(source.returned, []);
    });
  });

  overTransports((start) => {
    /** A client that has closed. */
    async function gone() {
      const stage = await start();
      const { client, stream } = await stage.connect();
      stream.close();
      await when(() => client.closed !== null);
      return client;
    }

    it('before: a source function is never called', async () => {
      const client = await gone();
      const source = () => assert.fail('called');
      assert.deepEqual(await client.pipe(source), { sent: 0, closed: 'client' });
    });

    it('before: whatever is given directly is let go of without being asked', async () => {
      const client = await gone();
      const led = new Led();
      const readable = fs.createReadStream('/nonexistent/of/a/pipe');
      let cancelled = false;
      const web = new ReadableStream({
        cancel: () => {
          cancelled = true;
        },
      });
      const unhandled = await unhandledIn(async () => {
        for (const source of [led, readable, web, ['a']]) {
          assert.deepEqual(await client.pipe(source), { sent: 0, closed: 'client' });
        }
        await when(() => readable.closed);
      });
      assert.deepEqual([led.asked, led.returned.length], [0, 1]);
      assert.deepEqual([readable.destroyed, cancelled], [true, true]);
      assert.deepEqual(unhandled, []);
    });

    it('before, and its stream is still ending: the same, and it waits for the end', async () => {
      const stage = await start();
      const { client } = await stage.connect();
      const led = new Led();
      client.close();
      const piped = client.pipe(led);
      assert.equal(client.closed, null);
      assert.deepEqual(await piped, { sent: 0, closed: 'server' });
      assert.deepEqual([led.asked, led.returned.length], [0, 1]);
      assert.equal(client.closed, 'server');
    });
  });
});

function fail() {
  throw new Error('from return()');
}
