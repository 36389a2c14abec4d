'use strict';

// What comes from outside becomes something to rely on, or an error with the HTTP status to answer.

const { LEVELS } = require('./follow');

const LINES_MAX = 1_000;
const RATES = [0, 20, 500, 5_000]; // lines per second

function problem(status, message) {
  return Object.assign(new Error(message), { status });
}

/** `?level=warn&lines=100`: the least level to show, and how many of the last lines to begin with. */
function viewOf({ level = 'debug', lines = '200' }) {
  if (!LEVELS.includes(level)) throw problem(400, `"level" is one of ${LEVELS.join(', ')}`);
  const isCount = /^\d{1,4}$/.test(lines) && Number(lines) <= LINES_MAX;
  if (!isCount) throw problem(400, `"lines" is a number from 0 to ${LINES_MAX}`);
  return { level, lines: Number(lines) };
}

function rateOf(body) {
  if (RATES.includes(body?.rate)) return body.rate;
  throw problem(400, `"rate" is one of ${RATES.join(', ')}`);
}

module.exports = { LINES_MAX, problem, rateOf, viewOf };
