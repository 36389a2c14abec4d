'use strict';

// examples/llm: POST /v1/chat/completions, read by the official client of the OpenAI API.

const assert = require('node:assert/strict');
const OpenAI = require('openai');
const { ENDLESS, FAILING, SCRIPTS, splittingFetch, useChat } = require('./support/chat-server');

describe('examples/llm: OpenAI style', () => {
  const chat = useChat();

  const client = (options) =>
    new OpenAI({ baseURL: `${chat.url}/v1`, apiKey: 'none', maxRetries: 0, ...options });
  const ask = (question, { model = 'parrot-fast', via = client(), ...options } = {}) =>
    via.chat.completions.create({
      model,
      messages: [{ role: 'user', content: question }],
      stream: true,
      ...options,
    });
  const textOf = (chunk) => chunk.choices[0]?.delta.content ?? '';

  async function read(stream) {
    const chunks = [];
    for await (const chunk of stream) chunks.push(chunk);
    return { chunks, text: chunks.map(textOf).join('') };
  }

  it('an answer arrives whole, in many chunks of one id', async () => {
    const question = 'How do tokens travel?';
    const { chunks, text } = await read(await ask(question));
    assert.equal(text, await chat.whole(question));
    assert.ok(chunks.length > 50, `${chunks.length} chunks`);
    assert.equal(new Set(chunks.map(({ id }) => id)).size, 1);
    assert.ok(chunks.every(({ object }) => object === 'chat.completion.chunk'));
    assert.deepEqual(chunks[0].choices[0].delta, { role: 'assistant', content: '' });
    const reasons = chunks.map(({ choices }) => choices[0].finish_reason);
    assert.deepEqual(reasons.filter(Boolean), ['stop']);
    assert.equal(reasons.at(-1), 'stop');
    assert.ok(chunks.every((chunk) => !('usage' in chunk)));
  });

  it('the client’s own assembly of a stream is the answer that it gets without one', async () => {
    const messages = [
      { role: 'user', content: 'Hello' },
      { role: 'assistant', content: 'Hello!' },
      { role: 'user', content: [{ type: 'text', text: 'And again?' }] },
    ];
    const body = { model: 'parrot-fast', messages };
    const assembled = await client().chat.completions.stream(body).finalChatCompletion();
    const whole = await client().chat.completions.create(body);
    assert.equal(assembled.choices[0].message.content, whole.choices[0].message.content);
    assert.match(whole.choices[0].message.content, /^You asked: “And again\?”/);
    assert.equal(whole.object, 'chat.completion');
    assert.equal(whole.choices[0].finish_reason, 'stop');
  });

  it('include_usage: every chunk says null, and one more than the rest says how much it was', async () => {
    const options = { stream_options: { include_usage: true }, max_completion_tokens: 5 };
    const { chunks } = await read(await ask('One two three', options));
    const last = chunks.pop();
    assert.deepEqual(last.choices, []);
    assert.deepEqual(last.usage, { prompt_tokens: 3, completion_tokens: 5, total_tokens: 8 });
    assert.ok(chunks.every(({ usage }) => usage === null));
    assert.equal(chunks.at(-1).choices[0].finish_reason, 'length');
    assert.equal(chunks.filter(textOf).length, 5);
  });

  const waysOut = {
    'a loop that is left': async (stream) => {
      let seen = 0;
      for await (const chunk of stream) if (textOf(chunk) && ++seen === 5) break;
    },
    'an aborted controller': async (stream) => {
      let seen = 0;
      for await (const chunk of stream)
        if (textOf(chunk) && ++seen === 5) stream.controller.abort();
    },
  };
  for (const [way, leave] of Object.entries(waysOut)) {
    it(`${way} stops the source`, async () => {
      const stream = await ask(ENDLESS, { model: 'parrot' });
      await leave(stream);
      const { pieces } = await chat.idle();
      assert.ok(pieces >= 5 && pieces < 50, `${pieces} pieces`);
      await read(await ask('Are you there?', { max_tokens: 1 }));
      assert.equal((await chat.stats()).pieces, pieces + 1); // not one more of the other
    });
  }

  it('who leaves an answer that is not streamed stops the source, too', async () => {
    const left = new AbortController();
    const options = { stream: false, model: 'parrot', via: client() };
    const { via, ...rest } = options;
    const body = { ...rest, messages: [{ role: 'user', content: ENDLESS }] };
    const answer = via.chat.completions.create(body, { signal: left.signal });
    answer.catch(() => {});
    await chat.until(({ pieces }) => pieces > 2);
    left.abort();
    await assert.rejects(answer, OpenAI.APIUserAbortError);
    await chat.idle();
    assert.equal(chat.server.err, '');
  });

  it('an error in the middle: what was said before, then the client throws its own', async () => {
    const stream = await ask(FAILING);
    let text = '';
    const reading = (async () => {
      for await (const chunk of stream) text += textOf(chunk);
    })();
    await assert.rejects(reading, (err) => {
      assert.ok(err instanceof OpenAI.APIError);
      assert.equal(err.type, 'server_error');
      assert.equal(err.error.message, 'The parrot has flown away');
      return true;
    });
    assert.match(text, /^You asked: “Break off in the middle”\n\n.+\. .+\.$/);
    await chat.idle();
  });

  it('what is refused before the stream begins has a status, and the client an error of that kind', async () => {
    await assert.rejects(ask('Hello', { model: 'gpt' }), OpenAI.NotFoundError);
    await assert.rejects(ask(' '), OpenAI.BadRequestError);
    await assert.rejects(ask('x'.repeat(4_001)), OpenAI.BadRequestError);
    await assert.rejects(ask('Hello', { max_tokens: 0 }), OpenAI.BadRequestError);
    assert.equal((await chat.stats()).pieces, 0);
  });

  it('more than a hundred at a time are told to come later', async () => {
    const via = client();
    const streams = await Promise.all(
      Array.from({ length: 100 }, () => ask(ENDLESS, { model: 'parrot-slow', via })),
    );
    await chat.until(({ running }) => running === 100);
    await assert.rejects(ask('Me too?'), OpenAI.RateLimitError);
    for (const stream of streams) stream.controller.abort();
    await chat.idle();
    assert.match((await read(await ask('And now?'))).text, /^You asked: “And now\?”/);
  });

  it('fifty at a time are not mixed up', async () => {
    const via = client();
    const questions = Array.from({ length: 50 }, (_, i) => `${i}:${'?'.repeat(i)}`);
    const answers = await Promise.all(
      questions.map(async (question) => (await read(await ask(question, { via }))).text),
    );
    const expected = await Promise.all(questions.map((question) => chat.whole(question)));
    assert.deepEqual(answers, expected);
    assert.equal(new Set(answers).size, 50);
  });

  it('every script arrives as it was sent, cut at any byte by the network', async () => {
    const via = client({ fetch: splittingFetch });
    assert.equal((await read(await ask(SCRIPTS, { via }))).text, await chat.whole(SCRIPTS));
  });

  it('and where the pieces themselves are halves of characters', async () => {
    const via = client({ fetch: splittingFetch });
    const { chunks, text } = await read(await ask(SCRIPTS, { via, model: 'parrot-splinters' }));
    assert.equal(text, await chat.whole(SCRIPTS));
    assert.ok(
      chunks.some((chunk) => !textOf(chunk).isWellFormed()),
      'no piece is half a character',
    );
  });

  it('the models are listed', async () => {
    const ids = [];
    for await (const { id } of client().models.list()) ids.push(id);
    assert.deepEqual(ids, ['parrot', 'parrot-slow', 'parrot-fast', 'parrot-splinters']);
  });
});
