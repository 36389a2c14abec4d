'use strict';

// POST /api/chat for the `ai` package: `useChat`, `DefaultChatTransport`. Its UI message stream is JSON with a `type` in each event:
// a message starts, has steps, in which texts start, grow and end, and finishes. `error` ends it before.

const { randomUUID } = require('node:crypto');
const express = require('express');
const { sse } = require('fanline');
const { STREAM, answer, checkRoom } = require('./answers');
const { PIECES_MAX, modelOf, questionOf } = require('./input');

const router = express.Router();
const headers = { 'X-Vercel-AI-UI-Message-Stream': 'v1' };

function orderOf(body) {
  const { messages, model = 'parrot' } = body ?? {};
  return { model: modelOf(model), question: questionOf(messages, 'parts'), limit: PIECES_MAX };
}

async function* parts(order, signal) {
  const id = 'answer'; // of the text within the message
  yield { type: 'start', messageId: randomUUID() };
  yield { type: 'start-step' };
  yield { type: 'text-start', id };
  let reason;
  for await (const { text, finish } of answer(order, signal)) {
    if (text === undefined) reason = finish;
    else yield { type: 'text-delta', id, delta: text };
  }
  yield { type: 'text-end', id };
  yield { type: 'finish-step' };
  yield { type: 'finish', finishReason: reason };
}

router.post('/', express.json({ limit: '1mb' }), async (req, res) => {
  const order = orderOf(req.body);
  checkRoom();
  await sse(req, res, { ...STREAM, headers }).pipe((signal) => parts(order, signal), {
    done: '[DONE]',
    error: (err) => ({ data: { type: 'error', errorText: err.message } }),
  });
});

module.exports = router;
