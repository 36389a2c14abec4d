'use strict';

// What comes from outside becomes something to rely on, or an error with the HTTP status to answer.

const PAGES_MAX = 1_000;

function problem(status, message) {
  return Object.assign(new Error(message), { status });
}

/** What shall be done: `{ name, pages, failsAt }`, from a query or a JSON body. */
function orderOf(fields) {
  const { name, pages, fails } = fields ?? {};
  const count = Number(pages ?? 40);
  if (!Number.isInteger(count) || count < 1 || count > PAGES_MAX) {
    throw problem(400, `"pages" must be a number from 1 to ${PAGES_MAX}`);
  }
  const title = (typeof name === 'string' && name.trim().slice(0, 60)) || 'Untitled';
  const failsAt = fails && fails !== 'no' ? Math.ceil(count / 2) : undefined; // to see what a failure looks like
  return { name: title, pages: count, failsAt };
}

module.exports = { orderOf, problem };
