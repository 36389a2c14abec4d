'use strict';

// What comes from outside becomes something to rely on, or an error with the HTTP status to answer.

const { createHash, randomBytes, randomUUID } = require('node:crypto');

const ROOMS = {
  garden: 'Whatever grows',
  kitchen: 'Recipes, tea and leftovers',
  workshop: 'Things that are being made',
};
const TEXT_MAX = 1_000; // characters
const YEAR = 365 * 24 * 3600 * 1000;

function problem(status, message, headers = {}) {
  return Object.assign(new Error(message), { status, headers });
}

function roomOf(value) {
  if (Object.hasOwn(ROOMS, value)) return value;
  throw problem(404, `No such room. There are: ${Object.keys(ROOMS).join(', ')}`);
}

function nameOf(value, instead) {
  return (typeof value === 'string' && value.trim().replace(/\s+/g, ' ').slice(0, 30)) || instead;
}

/** The page makes the id, so that the same message sent twice is one. */
function messageOf(body) {
  const { id = randomUUID(), text } = body ?? {};
  if (typeof text !== 'string' || !text.trim()) throw problem(400, 'The field "text" is empty');
  if (text.length > TEXT_MAX) throw problem(413, `More than ${TEXT_MAX} characters`);
  if (!/^[\w-]{8,40}$/.test(id)) throw problem(400, 'The field "id" is 8 to 40 letters and digits');
  return { id, text: text.trim() };
}

/**
 * Express middleware: `req.person`, from a cookie that all tabs of a browser share. Its first half is a secret that proves who
 * it is, its second half the name. Others see `who`, which the secret cannot be found from. An app with accounts has them instead.
 */
function person(req, res, next) {
  const [, secret, word] = /(?:^|; )chat=([\w-]{22})\.([^;]*)/.exec(req.headers.cookie ?? '') ?? [];
  req.secret = secret ?? randomBytes(16).toString('base64url');
  const who = createHash('sha256').update(req.secret).digest('base64url').slice(0, 12);
  let name = '';
  try {
    name = decodeURIComponent(word ?? '');
  } catch {} // somebody has written the cookie by hand
  req.person = { who, name: nameOf(name, `Guest ${who.slice(0, 3)}`) };
  if (!secret && req.method === 'GET') remember(req, res);
  next();
}

function remember(req, res) {
  const value = `${req.secret}.${req.person.name}`;
  res.cookie('chat', value, { httpOnly: true, sameSite: 'lax', maxAge: YEAR });
}

module.exports = { ROOMS, messageOf, nameOf, person, problem, remember, roomOf };
