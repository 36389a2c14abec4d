'use strict';

// What every sample does: GET /events/:room is a stream, POST /events/:room sends a note to it, SIGTERM ends it in order.

const assert = require('node:assert/strict');
const { open } = require('../../js/support/open');
const { assertShown, start } = require('./sample');

async function post(url, note) {
  const answer = await fetch(url, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify(note),
  });
  return answer.json();
}

/**
 * @param {string} shown the file that docs/frameworks.md shows
 * @param {{program?: string, how?: string}} [options] what runs, where that is another; how it ends, where not with 0
 */
function describeSample(shown, { program = shown, how: expected = '0' } = {}) {
  describe('the sample of docs/frameworks.md', () => {
    it('is this file', () => assertShown(shown));

    it('sends to rooms, and ends in order at SIGTERM', async () => {
      const app = await start(program);
      let how;
      let stream;
      try {
        stream = await open(`${app.url}/events/music`);
        const other = await open(`${app.url}/events/art`);
        assert.deepEqual(await post(`${app.url}/events/music`, { text: 'hi' }), { matched: 1 });
        const { event, data } = await stream.next();
        assert.deepEqual([event, data], ['note', '{"text":"hi"}']);
        assert.deepEqual(other.events, []);
      } finally {
        how = await app.stop();
      }
      assert.equal(how, expected);
      assert.equal(await stream.end(), 'end');
      assert.match(stream.text, /\nretry: \d+\n$/);
    });
  });
}

module.exports = { describeSample };
