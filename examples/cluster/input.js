'use strict';

// What comes from outside becomes something to rely on, or an error with the HTTP status to answer.

const LOOPBACK = ['127.0.0.1', '::1', '::ffff:127.0.0.1'];
const HERE = ['localhost', '127.0.0.1', '[::1]'];

function problem(status, message) {
  return Object.assign(new Error(message), { status });
}

function textOf(body) {
  const text = typeof body?.text === 'string' ? body.text.trim() : '';
  if (!text) throw problem(400, 'Say something: the field "text" is empty');
  if (text.length > 300) throw problem(400, 'That is too long: 300 characters at most');
  return text;
}

/** Does somebody on this machine ask, and no page of another site in their browser? */
function isFromHere(req) {
  const origin = req.get('Origin') ?? `http://${req.hostname}`;
  const isOurs = URL.canParse(origin) && HERE.includes(new URL(origin).hostname);
  return isOurs && HERE.includes(req.hostname) && LOOPBACK.includes(req.ip);
}

module.exports = { isFromHere, problem, textOf };
