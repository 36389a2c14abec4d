'use strict';

// What the tests of examples/llm share: its server, what it says about itself, and a network that cuts where it likes.

const { closeAll, open } = require('../../../lib/testing');
const { startExample } = require('./example-page');

const SCRIPTS = 'Say good day in many scripts';
const ENDLESS = 'Talk until I stop you';
const FAILING = 'Break off in the middle';

/** To be called inside a describe: a fresh server for each of its tests. */
function useChat(env) {
  const own = {};
  beforeEach(async () => {
    own.server = await startExample('llm', env);
    own.url = own.server.url;
  });
  afterEach(async () => {
    await closeAll();
    await own.server.close();
  });

  own.stats = async () => (await fetch(`${own.url}/stats`)).json();
  /** Asks the server until `condition` holds for its numbers; answers them. */
  own.until = async (condition) => {
    for (;;) {
      const stats = await own.stats();
      if (condition(stats)) return stats;
    }
  };
  own.idle = () => own.until(({ running }) => running === 0);

  const bodyOf = (question, model) => ({ model, messages: [{ role: 'user', content: question }] });
  /** The whole answer in one piece, as it must arrive by any way. */
  own.whole = async (question, model = 'parrot-fast') => {
    const headers = { 'Content-Type': 'application/json' };
    const body = JSON.stringify(bodyOf(question, model));
    const init = { method: 'POST', headers, body };
    const answer = await (await fetch(`${own.url}/v1/chat/completions`, init)).json();
    return answer.choices[0].message.content;
  };
  /** The stream itself. */
  own.raw = (question, model = 'parrot-fast') => {
    const body = { ...bodyOf(question, model), stream: true };
    return open(own.url, '/v1/chat/completions', { body });
  };
  return own;
}

/** fetch over a network that passes on one to three bytes at a time. */
async function splittingFetch(url, init) {
  const { body, ...rest } = await partsOf(await fetch(url, init));
  let size = 0;
  const split = new TransformStream({
    transform(bytes, controller) {
      for (let at = 0; at < bytes.length; at += size) {
        size = (size % 3) + 1;
        controller.enqueue(bytes.slice(at, at + size));
      }
    },
  });
  return new Response(body.pipeThrough(split), rest);
}

function partsOf({ body, status, statusText, headers }) {
  return { body, status, statusText, headers };
}

/** The blocks of an event stream: what lies between blank lines. */
function blocksOf(text) {
  return text.split('\n\n').filter((block) => block !== '');
}

module.exports = { ENDLESS, FAILING, SCRIPTS, blocksOf, splittingFetch, useChat };
