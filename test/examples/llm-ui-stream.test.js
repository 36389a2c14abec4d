'use strict';

// examples/llm: POST /api/chat, read by the `ai` package: its transport, its reader of messages, and the Chat behind `useChat`.

const assert = require('node:assert/strict');
const { AbstractChat, DefaultChatTransport, readUIMessageStream } = require('ai');
const { ENDLESS, FAILING, SCRIPTS, splittingFetch, useChat } = require('./support/chat-server');

/** The state that `useChat` keeps in React, in plain fields. */
class Chat extends AbstractChat {
  constructor(init) {
    const state = {
      status: 'ready',
      error: undefined,
      messages: [],
      pushMessage: (message) => state.messages.push(message),
      popMessage: () => state.messages.pop(),
      replaceMessage: (index, message) => {
        state.messages[index] = message;
      },
      snapshot: structuredClone,
    };
    super({ ...init, state });
  }
}

const textOf = ({ parts }) =>
  parts
    .filter(({ type }) => type === 'text')
    .map(({ text }) => text)
    .join('');

describe('examples/llm: AI SDK UI message stream', () => {
  const chat = useChat();

  const transport = (options) =>
    new DefaultChatTransport({
      api: `${chat.url}/api/chat`,
      body: { model: 'parrot-fast' },
      ...options,
    });
  const ask = (question, { via = transport(), signal } = {}) =>
    via.sendMessages({
      chatId: 'a',
      trigger: 'submit-message',
      messages: [{ id: '1', role: 'user', parts: [{ type: 'text', text: question }] }],
      abortSignal: signal,
    });

  /** The message as it is in the end. */
  async function read(stream) {
    let last;
    for await (const message of readUIMessageStream({ stream, terminateOnError: true }))
      last = message;
    return last;
  }

  it('a message grows to the whole answer', async () => {
    const texts = [];
    let last;
    const stream = await ask('How do tokens travel?');
    for await (const message of readUIMessageStream({ stream })) {
      texts.push(textOf(message));
      last = message;
    }
    assert.equal(texts.at(-1), await chat.whole('How do tokens travel?'));
    assert.ok(texts.every((text, i) => i === 0 || text.startsWith(texts[i - 1])));
    assert.ok(new Set(texts).size > 50);
    assert.equal(last.role, 'assistant');
    assert.deepEqual(
      last.parts.map(({ type, state }) => [type, state]),
      [
        ['step-start', undefined],
        ['text', 'done'],
      ],
    );
  });

  it('useChat’s Chat: several questions, each with its answer, finished', async () => {
    const reasons = [];
    const onFinish = ({ finishReason, isError, isAbort, isDisconnect }) =>
      reasons.push([finishReason, isError, isAbort, isDisconnect]);
    const own = new Chat({ transport: transport(), onFinish });
    for (const text of ['First', 'Second', 'Third']) await own.sendMessage({ text });
    assert.equal(own.status, 'ready');
    assert.deepEqual(
      own.messages.map(({ role }) => role),
      Array(3).fill(['user', 'assistant']).flat(),
    );
    for (const [i, text] of ['First', 'Second', 'Third'].entries()) {
      assert.equal(textOf(own.messages[2 * i + 1]), await chat.whole(text));
    }
    assert.equal(new Set(own.messages.map(({ id }) => id)).size, 6);
    assert.deepEqual(reasons, Array(3).fill(['stop', false, false, false]));
  });

  it('useChat’s stop() stops the source, and keeps what was said', async () => {
    const own = new Chat({ transport: transport({ body: { model: 'parrot' } }) });
    const asked = own.sendMessage({ text: ENDLESS });
    await chat.until(({ pieces }) => pieces > 5);
    await own.stop();
    await asked;
    const { pieces } = await chat.idle();
    assert.ok(pieces < 50, `${pieces} pieces`);
    assert.equal(own.status, 'ready');
    assert.equal(own.error, undefined);
    assert.match(textOf(own.messages[1]), /^You asked: “Talk/);
  });

  it('an aborted signal and a cancelled stream stop the source', async () => {
    const via = transport({ body: { model: 'parrot' } });
    const left = new AbortController();
    const reading = read(await ask(ENDLESS, { via, signal: left.signal }));
    await chat.until(({ pieces }) => pieces > 2);
    left.abort();
    await assert.rejects(reading, { name: 'AbortError' });
    await chat.idle();

    const stream = await ask(ENDLESS, { via });
    await chat.until(({ running }) => running === 1);
    await stream.cancel();
    await chat.idle();
  });

  it('an error in the middle is the client’s error, behind what was said', async () => {
    const own = new Chat({ transport: transport() });
    await own.sendMessage({ text: FAILING });
    assert.equal(own.status, 'error');
    assert.equal(own.error.message, 'The parrot has flown away');
    assert.match(textOf(own.messages[1]), /^You asked: “Break off in the middle”\n\n.+\. .+\.$/);
    await assert.rejects(read(await ask(FAILING)), { message: 'The parrot has flown away' });
    await chat.idle();
  });

  it('what is refused before the stream begins is its error, too', async () => {
    await assert.rejects(
      ask('Hello', { via: transport({ body: { model: 'gpt' } }) }),
      /No such model/,
    );
    await assert.rejects(ask(' '), /says nothing/);
  });

  it('fifty at a time are not mixed up', async () => {
    const questions = Array.from({ length: 50 }, (_, i) => `${i}:${'?'.repeat(i)}`);
    const messages = await Promise.all(
      questions.map(async (question) => read(await ask(question))),
    );
    const expected = await Promise.all(questions.map((question) => chat.whole(question)));
    assert.deepEqual(messages.map(textOf), expected);
    assert.equal(new Set(messages.map(({ id }) => id)).size, 50);
  });

  it('every script arrives as it was sent, cut at any byte, in halves of characters', async () => {
    for (const model of ['parrot-fast', 'parrot-splinters']) {
      const via = transport({ fetch: splittingFetch, body: { model } });
      assert.equal(textOf(await read(await ask(SCRIPTS, { via }))), await chat.whole(SCRIPTS));
    }
  });
});
