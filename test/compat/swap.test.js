'use strict';

// The same application with the name of the package exchanged, as an ES module and as CommonJS: it does the same.

const assert = require('node:assert/strict');
const { fork } = require('node:child_process');
const { once } = require('node:events');
const fs = require('node:fs');
const path = require('node:path');
const testing = require('fanline/testing');
const { swapped } = require('./swapped');

const APP = path.join(__dirname, 'app', 'server.mjs');

/** What its readers have seen, and what it has answered. */
async function tour(file) {
  const child = fork(file);
  const streams = [];
  try {
    const [port] = await once(child, 'message');
    const url = `http://127.0.0.1:${port}`;
    const answers = [];
    const open = async (query, options) => {
      const stream = await testing.open(`${url}/events?name=${query}`, options);
      streams.push(stream);
      return stream;
    };
    const post = async (where, body) => {
      const headers = { 'Content-Type': 'application/json' };
      const answer = await fetch(url + where, {
        method: 'POST',
        headers,
        body: JSON.stringify(body),
      });
      answers.push([answer.status, answer.ok ? await answer.json() : '']);
    };
    const who = async () => (await fetch(`${url}/who`)).json();

    const ann = await open('ann', { lastEventId: 'before' });
    await ann.until(({ text }) => text.includes('joined-ann'));
    const bob = await open('bob');
    await bob.until(({ text }) => text.includes('joined-bob'));
    await post('/news', { text: 'one\ntwo' });
    await post('/news?except=ann', { text: 'not for ann' });
    await post('/tell/ann', { lines: ['a', 'b'] });
    await post('/tell/eve', { lines: [] });
    answers.push(await who());
    await bob.until(({ text }) => text.includes('news-2'));
    bob.close();
    await ann.until(({ text }) => text.includes('left-bob'));
    answers.push(await who());
    const seen = streams.map(({ text, retry }) => [retry, eventsOf(text)]);
    return { answers, seen };
  } finally {
    for (const stream of streams) stream.close();
    const ended = once(child, 'exit');
    child.disconnect();
    await ended;
  }
}

/** Event, id and data of a stream's text. Random ids are no more than that. */
function eventsOf(text) {
  const blocks = text.split('\n\n').map((block) => {
    const field = (name) => new RegExp(`^${name}: ?(.*)$`, 'm').exec(block)?.[1];
    return [field('event'), field('id')?.replace(/^[0-9a-f-]{36}$/, 'random'), field('data')];
  });
  return blocks.filter((event) => event[2] !== undefined);
}

describe('An application', function () {
  this.timeout(20_000);
  let expected;

  before(async () => {
    expected = await tour(APP);
  });

  it('of better-sse does what this test thinks', () => {
    const [[retry, ann], [, bob]] = expected.seen;
    assert.equal(retry, 2_000);
    assert.deepEqual(ann[0], ['hello', 'hello-1', '{"since":"before"}']);
    assert.deepEqual(ann.at(-1), ['left', 'left-bob', '"bob"']);
    assert.deepEqual(bob.at(-1), ['news', 'news-2', '{"text":"not for ann"}']);
    assert.deepEqual(expected.answers.at(-1), ['ann']);
    assert.equal(ann.length, 10);
  });

  it('does the same on fanline, one name exchanged', async () => {
    const copy = swapped(APP, 'server.mjs');
    const changed = (file) => fs.readFileSync(file, 'utf8').split('\n');
    const lines = changed(APP).filter((line, i) => line !== changed(copy)[i]);
    assert.deepEqual(lines, ["import { createChannel, createSession } from 'better-sse';"]);
    assert.deepEqual(await tour(copy), expected);
  });

  it('does the same on fanline as CommonJS', async () => {
    assert.deepEqual(await tour(swapped(APP, 'server.cjs')), expected);
  });
});
