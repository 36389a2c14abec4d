'use strict';

// The matches, and what is reported about them: checked here, whatever the step. No step changes this file.

const LONGEST = 20_000; // characters of a line

const matches = [
  { match: 'otters-herons', home: 'Otters', away: 'Herons', score: [0, 0] },
  { match: 'foxes-badgers', home: 'Foxes', away: 'Badgers', score: [0, 0] },
  { match: 'wrens-lynxes', home: 'Wrens', away: 'Lynxes', score: [0, 0] },
];

function problem(status, message) {
  return Object.assign(new Error(message), { status });
}

function find(name) {
  const found = matches.find(({ match }) => match === name);
  if (found) return found;
  throw problem(404, `No such match. There are: ${matches.map(({ match }) => match).join(', ')}`);
}

function text(value, field, longest) {
  const words = typeof value === 'string' ? value.trim() : '';
  if (words && words.length <= longest) return words;
  throw problem(400, `The field "${field}" needs 1 to ${longest} characters`);
}

/** What `?match=` names, once or several times; nothing: all of them. */
function watched(query) {
  const names = query === undefined ? matches.map(({ match }) => match) : [query].flat();
  return [...new Set(names)].map((name) => find(name).match);
}

const scoresOf = (names) => names.map(find);

/** @returns {object} what a goal tells; the score has changed */
function goal(name, { side, by } = {}) {
  const { match, score } = find(name);
  if (side !== 'home' && side !== 'away') throw problem(400, 'The field "side": home or away');
  const scorer = text(by, 'by', 40);
  score[side === 'home' ? 0 : 1] += 1;
  return { match, side, by: scorer, score: [...score] };
}

/** Anything else that is to be told. Its kind is any word: it becomes the event's name, so that readers may choose. */
function line(name, { kind, text: words } = {}) {
  const { match } = find(name);
  return { kind: text(kind, 'kind', 200), data: { match, text: text(words, 'text', LONGEST) } };
}

module.exports = { goal, line, matches, problem, scoresOf, watched };
