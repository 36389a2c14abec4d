'use strict';

// examples/llm: what is on the wire, what a reader that stops costs, and how the server ends.

const assert = require('node:assert/strict');
const { ENDLESS, FAILING, SCRIPTS, blocksOf, useChat } = require('./support/chat-server');
const { open } = require('../../lib/testing');

describe('examples/llm: the wire', () => {
  describe('strict readers', () => {
    const chat = useChat({ HEARTBEAT: '40' });

    async function textOf(stream) {
      assert.equal(await stream.end(), 'end');
      assert.match(stream.headers['content-type'], /^text\/event-stream/);
      return stream.text;
    }

    /** What a strict client takes: blocks with data, each of them JSON; and what else there is, on lines of its own. */
    function checkBlocks(text, last) {
      const blocks = blocksOf(text);
      for (const block of blocks) {
        const lines = block.split('\n').filter((line) => line !== '' && !line.startsWith(':'));
        assert.equal(
          lines.length,
          1,
          `a block without data, or with more: ${JSON.stringify(block)}`,
        );
        assert.match(lines[0], /^data: /);
        const data = lines[0].slice('data: '.length);
        if (block !== blocks.at(-1) || last !== '[DONE]') JSON.parse(data);
        else assert.equal(data, last);
      }
      return blocks;
    }

    it('no block is without data, though the model is silent for longer than the heartbeat', async () => {
      const body = { model: 'parrot-slow', max_tokens: 3, stream: true };
      body.messages = [{ role: 'user', content: 'Hello' }];
      const stream = await open(chat.url, '/v1/chat/completions', { body });
      const blocks = checkBlocks(await textOf(stream), '[DONE]');
      assert.equal(blocks.length, 6);
      assert.ok(stream.comments.length > 6, `${stream.comments.length} comments`);
    });

    it('nor where the answer fails, which has no [DONE]', async () => {
      const blocks = checkBlocks(await textOf(await chat.raw(FAILING)), 'an error');
      assert.match(blocks.at(-1), /^data: \{"error":\{"message":"The parrot has flown away"/);
    });

    it('nor in the UI message stream', async () => {
      const messages = [{ id: 'x', role: 'user', parts: [{ type: 'text', text: 'Hello' }] }];
      const stream = await open(chat.url, '/api/chat', {
        body: { messages, model: 'parrot-fast' },
      });
      checkBlocks(await textOf(stream), '[DONE]');
      assert.equal(stream.headers['x-vercel-ai-ui-message-stream'], 'v1');
    });

    it('a stream that was asked for with POST says nothing about coming back', async () => {
      const stream = await chat.raw('Hello');
      const text = await textOf(stream);
      assert.equal(stream.retry, null);
      assert.doesNotMatch(text, /^(id|retry|event):/m);
    });
  });

  describe('a reader', () => {
    const chat = useChat();

    it('that stops stops the source, and goes on where it was', async () => {
      const stream = await chat.raw(ENDLESS);
      await stream.until(({ events }) => events.length > 100);
      stream.pause();
      let pieces = -1;
      let same = 0;
      await chat.until((stats) => {
        same = stats.pieces === pieces ? same + 1 : 0;
        pieces = stats.pieces;
        return same === 50;
      });
      assert.ok(pieces < 10_000, `${pieces} pieces for a reader that has stopped`);
      const before = stream.events.length;
      stream.resume();
      await stream.until(({ events }) => events.length > pieces && events.length > before);
      await chat.until((stats) => stats.pieces > pieces);
      const text = stream.events
        .map(({ data }) => JSON.parse(data).choices[0].delta.content)
        .join('');
      const sentences = text.split('\n\n').slice(1, -1);
      assert.ok(sentences.length > 10, `${sentences.length} paragraphs`);
      assert.equal(new Set(sentences).size, 2, 'a word is missing'); // the parrot says the same eight over and over
      await stream.close();
      await chat.idle();
    });

    it('that stops does not slow the others', async () => {
      const stopped = await chat.raw(ENDLESS);
      stopped.pause();
      for (let i = 0; i < 5; i++) {
        const stream = await chat.raw(`Question ${i}`);
        assert.equal(await stream.end(2_000), 'end');
        assert.equal(stream.events.at(-1).data, '[DONE]');
      }
    });
  });

  describe('SIGTERM', () => {
    const chat = useChat();

    it('lets an answer come to its end, cuts those that do not, and ends with 0', async () => {
      const finite = await chat.raw(SCRIPTS, 'parrot');
      const endless = await chat.raw(ENDLESS, 'parrot');
      await finite.until(({ events }) => events.length > 5);
      chat.server.signal('SIGTERM');
      assert.equal(await finite.end(), 'end');
      assert.equal(finite.events.at(-1).data, '[DONE]');
      assert.notEqual(await endless.end(), 'end');
      assert.deepEqual(await chat.server.exit, { code: 0, signal: null });
      assert.equal(chat.server.err, '');
    });
  });
});
