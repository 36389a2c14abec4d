'use strict';

// What comes from outside becomes something to rely on, or an error with the HTTP status to answer.

const USERS = { ada: 'Ada', grace: 'Grace', lin: 'Lin' };

function problem(status, message) {
  return Object.assign(new Error(message), { status });
}

function userNamed(value) {
  if (Object.hasOwn(USERS, value)) return value;
  throw problem(404, `No such user. There are: ${Object.keys(USERS).join(', ')}`);
}

/**
 * Who asks, or null. A cookie that anybody could write: in an app this is the session, see docs/recipes/authentication.md.
 */
function userOf(req) {
  const [, user] = /(?:^|; )user=(\w+)/.exec(req.headers.cookie ?? '') ?? [];
  return Object.hasOwn(USERS, user ?? '') ? user : null;
}

function line(body, field, most) {
  const value = body?.[field];
  const text = typeof value === 'string' ? value.trim() : '';
  if (!text) throw problem(400, `The field "${field}" is empty`);
  if (text.length > most)
    throw problem(413, `The field "${field}" has more than ${most} characters`);
  return text;
}

function notificationOf(body) {
  return { title: line(body, 'title', 80), text: line(body, 'text', 500) };
}

/** `{ id }`: one; `{ upTo }`: that one and all before it. Answers the first and the last id. */
function rangeOf(body) {
  const { id, upTo } = body ?? {};
  const last = Number(upTo ?? id); // forms have strings
  if (Number.isSafeInteger(last) && last > 0) return [upTo === undefined ? last : 0, last];
  throw problem(400, 'The field "id" or "upTo" is no id');
}

module.exports = { USERS, notificationOf, problem, rangeOf, userNamed, userOf };
