'use strict';

// POST /v1/chat/completions and GET /v1/models as the OpenAI API has them, for whatever client speaks it. In a stream each piece
// is a `chat.completion.chunk`, and `[DONE]` is the last event; what fails in the middle is an object with `error`.

const { randomUUID } = require('node:crypto');
const express = require('express');
const { sse } = require('fanline');
const { STREAM, answer, checkRoom } = require('./answers');
const { limitOf, modelOf, questionOf } = require('./input');
const { MODELS } = require('./parrot');

const router = express.Router();
router.use(express.json({ limit: '1mb' }));
const seconds = () => Math.floor(Date.now() / 1_000);

function orderOf(body) {
  const { messages, model, stream, stream_options, max_tokens, max_completion_tokens } = body ?? {};
  return {
    model: modelOf(model),
    question: questionOf(messages, 'content'),
    limit: limitOf(max_completion_tokens ?? max_tokens),
    isStream: stream === true,
    wantsUsage: stream_options?.include_usage === true,
  };
}

/** Pieces, as the parrot counts them. */
function usageOf({ question }, said) {
  const asked = question.split(/\s+/).length;
  return { prompt_tokens: asked, completion_tokens: said, total_tokens: asked + said };
}

async function* chunks(order, signal) {
  const base = {
    id: `chatcmpl-${randomUUID()}`,
    object: 'chat.completion.chunk',
    created: seconds(),
    model: order.model,
    ...(order.wantsUsage && { usage: null }),
  };
  const chunk = (delta, finish = null) => {
    return { ...base, choices: [{ index: 0, delta, finish_reason: finish }] };
  };
  let said = 0;
  yield chunk({ role: 'assistant', content: '' });
  for await (const { text, finish } of answer(order, signal)) {
    if (text === undefined) yield chunk({}, finish);
    else yield chunk({ content: text });
    if (text !== undefined) said++;
  }
  if (order.wantsUsage) yield { ...base, choices: [], usage: usageOf(order, said) };
}

/** The same answer in one piece. Who leaves before it is complete stops the parrot, too. */
async function completion(order, res) {
  const left = new AbortController();
  res.once('close', () => left.abort());
  let content = '';
  let said = 0;
  let reason;
  for await (const { text, finish } of answer(order, left.signal)) {
    if (text === undefined) reason = finish;
    else content += text;
    if (text !== undefined) said++;
  }
  return {
    id: `chatcmpl-${randomUUID()}`,
    object: 'chat.completion',
    created: seconds(),
    model: order.model,
    choices: [{ index: 0, message: { role: 'assistant', content }, finish_reason: reason }],
    usage: usageOf(order, said),
  };
}

router.post('/chat/completions', async (req, res) => {
  const order = orderOf(req.body);
  checkRoom();
  if (!order.isStream) return res.json(await completion(order, res));
  await sse(req, res, STREAM).pipe((signal) => chunks(order, signal), {
    done: '[DONE]',
    error: (err) => ({ data: { error: errorOf(err) } }),
  });
});

router.get('/models', (_req, res) => {
  const data = Object.keys(MODELS).map((id) => {
    return { id, object: 'model', created: 0, owned_by: 'fanline' };
  });
  res.json({ object: 'list', data });
});

/** For users of yours, a message that is meant for them. */
function errorOf({ message, status = 500, code = null }) {
  const type = status < 500 ? 'invalid_request_error' : 'server_error';
  return { message, type, param: null, code };
}

router.use((err, _req, res, next) => {
  if (res.headersSent) return next(err);
  if (!res.destroyed) res.status(err.status ?? 500).json({ error: errorOf(err) });
});

module.exports = router;
