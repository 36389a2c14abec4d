'use strict';

// What comes from outside becomes something to rely on, or an error with the HTTP status to answer.

const { MODELS } = require('./parrot');

const MESSAGES_MAX = 100;
const QUESTION_MAX = 4_000; // characters
const PIECES_MAX = 100_000;

function problem(status, message, code = null) {
  return Object.assign(new Error(message), { status, code });
}

/** Text as it is, or made of parts, of which only texts are for us. */
function textOf(content) {
  if (typeof content === 'string') return content;
  if (!Array.isArray(content)) return '';
  const texts = content.filter((part) => part?.type === 'text' && typeof part.text === 'string');
  return texts.map(({ text }) => text).join('');
}

/** The last thing that the user said. `key`: where a message keeps what it says. */
function questionOf(messages, key) {
  if (!Array.isArray(messages) || messages.length === 0 || messages.length > MESSAGES_MAX) {
    throw problem(400, `"messages" must be a list of 1 to ${MESSAGES_MAX}`);
  }
  const question = textOf(messages.at(-1)?.[key]).trim();
  if (!question) throw problem(400, 'The last message says nothing');
  if (question.length > QUESTION_MAX) throw problem(400, `More than ${QUESTION_MAX} characters`);
  return question;
}

function modelOf(model) {
  if (Object.hasOwn(MODELS, model)) return model;
  throw problem(404, `No such model. There are: ${Object.keys(MODELS)}`, 'model_not_found');
}

function limitOf(limit = PIECES_MAX) {
  if (Number.isInteger(limit) && limit > 0) return Math.min(limit, PIECES_MAX);
  throw problem(400, '"max_completion_tokens" must be a positive integer');
}

module.exports = { PIECES_MAX, limitOf, modelOf, problem, questionOf };
