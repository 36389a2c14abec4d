'use strict';

// examples/llm: its page in Chromium.

const assert = require('node:assert/strict');
const { when } = require('../js/support/stage');
const { ENDLESS, FAILING, SCRIPTS } = require('./support/chat-server');
const { useExample } = require('./support/example-page');
const { looks } = require('./support/looks');

describe('examples/llm: the page', () => {
  const examples = useExample('llm');

  async function openChat(model) {
    const page = await examples.open();
    await page.locator('#model option').first().waitFor({ state: 'attached' });
    await page.selectOption('#model', model);
    return page;
  }

  async function ask(page, question) {
    await page.fill('#question', question);
    await page.press('#question', 'Enter');
  }
  const answers = (page) => page.locator('.answer');
  /** Until `count` answers have been given, and shown to their end. */
  const given = (page, count) =>
    page.waitForFunction((wanted) => {
      const busy = [...document.querySelectorAll('.answer')].map((answer) => answer.ariaBusy);
      return busy.length === wanted && !busy.includes('true');
    }, count);
  const textOf = (page, at) => answers(page).nth(at).locator('.text').textContent();

  async function whole(question) {
    const answer = await fetch(`${examples.server.url}/v1/chat/completions`, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json' },
      body: JSON.stringify({
        model: 'parrot-fast',
        messages: [{ role: 'user', content: question }],
      }),
    });
    return (await answer.json()).choices[0].message.content;
  }

  async function stats() {
    return (await fetch(`${examples.server.url}/stats`)).json();
  }
  async function idle() {
    for (;;) {
      const now = await stats();
      if (now.running === 0) return now;
    }
  }

  it('several questions, each with its whole answer; what was said before goes with the next', async () => {
    const page = await openChat('parrot-fast');
    const sent = [];
    page.on('request', (request) => {
      if (request.method() === 'POST') sent.push(request.postDataJSON().messages.length);
    });
    const questions = ['How do tokens travel?', 'And\nagain?', SCRIPTS];
    for (const [i, question] of questions.entries()) {
      await ask(page, question);
      await given(page, i + 1);
      assert.equal(await textOf(page, i), await whole(question));
      assert.equal(await page.locator('.asked .text').nth(i).textContent(), question);
      assert.match(
        await answers(page).nth(i).locator('.detail').textContent(),
        /^\d+ tokens · \d\.\d s$/,
      );
    }
    assert.deepEqual(sent, [1, 3, 5]); // and nothing was asked twice
    assert.deepEqual(page.problems, []);
  });

  it('the text only ever grows, by whole characters, also where tokens are halves of them', async () => {
    const page = await openChat('parrot-splinters');
    const seen = [];
    await page.exposeFunction('seen', (text) => seen.push(text));
    await page.evaluate(() => {
      const watch = () => window.seen(document.querySelector('.answer .text')?.textContent ?? '');
      const what = { childList: true, subtree: true, characterData: true };
      new MutationObserver(watch).observe(document.querySelector('#log'), what);
    });
    await ask(page, SCRIPTS);
    await given(page, 1);
    const full = await whole(SCRIPTS);
    assert.equal(await textOf(page, 0), full);
    await when(() => seen.at(-1) === full, 'the last change');
    for (const [i, text] of seen.entries()) {
      assert.ok(text.isWellFormed(), `half a character at the end of ${JSON.stringify(text)}`);
      assert.ok(i === 0 || text.startsWith(seen[i - 1]));
    }
    const steps = new Set(seen).size;
    assert.ok(steps > 3, `${steps} steps`); // not at once, though it came at once
  });

  it('the button stops the server, and keeps what was said; then it sends again', async () => {
    const page = await openChat('parrot');
    await ask(page, ENDLESS);
    await page.locator('.answer .text', { hasText: 'until I stop you' }).waitFor();
    assert.equal(await page.textContent('#send'), 'Stop');
    await page.click('#send');
    await given(page, 1);
    const { pieces } = await idle();
    assert.match(await textOf(page, 0), /^You asked: “Talk until I stop you”/);
    assert.match(await answers(page).locator('.detail').textContent(), /· stopped$/);
    assert.ok(await answers(page).locator('.problem').isHidden());
    await page.selectOption('#model', 'parrot-fast');
    await page.fill('#question', 'Still there?');
    await page.click('#send');
    await given(page, 2);
    assert.equal(await textOf(page, 1), await whole('Still there?'));
    assert.ok((await stats()).pieces < pieces + 500);
  });

  it('so does Escape, and so does leaving the page', async () => {
    const page = await openChat('parrot');
    await ask(page, ENDLESS);
    await page.locator('.answer .text', { hasText: 'asked' }).waitFor();
    await page.keyboard.press('Escape');
    await idle();
    await given(page, 1);
    await ask(page, ENDLESS);
    await page.locator('.answer .text', { hasText: 'asked' }).nth(1).waitFor();
    assert.equal((await stats()).running, 1);
    await page.goto('about:blank');
    await idle();
  });

  it('a failure is told below what was said before, and the next question works', async () => {
    const page = await openChat('parrot-fast');
    await ask(page, FAILING);
    await given(page, 1);
    assert.match(await textOf(page, 0), /^You asked: “Break off in the middle”\n\n.+\. .+\.$/);
    assert.equal(
      await answers(page).locator('.problem').textContent(),
      'The parrot has flown away.',
    );
    await ask(page, 'Back again?');
    await given(page, 2);
    assert.equal(await textOf(page, 1), await whole('Back again?'));
    assert.equal(await answers(page).nth(1).locator('.problem').isVisible(), false);
  });

  it('a connection that breaks off is told, and nothing is asked twice', async () => {
    const page = await openChat('parrot');
    let asked = 0;
    page.on('request', () => asked++);
    await ask(page, ENDLESS);
    await page.locator('.answer .text', { hasText: 'asked' }).waitFor();
    examples.server.signal('SIGKILL');
    await given(page, 1);
    assert.equal(
      await answers(page).locator('.problem').textContent(),
      'The connection broke off.',
    );
    assert.equal(await page.textContent('#state'), 'Ready');
    assert.equal(asked, 1);
  });

  it('looks right: empty, and with answers that are complete, failed and on their way', async () => {
    const page = await openChat('parrot-fast');
    await looks(page, { name: 'llm-empty' });
    await ask(page, SCRIPTS);
    await given(page, 1);
    await ask(page, FAILING);
    await given(page, 2);
    await page.selectOption('#model', 'parrot-slow');
    await ask(page, ENDLESS);
    await page.locator('.answer .text', { hasText: 'asked' }).nth(2).waitFor();
    await looks(page, { name: 'llm' });
  });
});
