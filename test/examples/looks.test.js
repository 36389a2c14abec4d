'use strict';

const assert = require('node:assert/strict');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const { useBrowser } = require('./support/example-page');
const { looks, problemsOf, watch } = require('./support/looks');

const document = (body, css = '') => `<!doctype html><html lang="en"><head><title>A page</title>
  <meta name="viewport" content="width=device-width"><meta name="color-scheme" content="light dark">
  <style>:root { color-scheme: light dark } body { margin: 16px; font: 16px/1.5 sans-serif } ${css}</style>
  </head><body>${body}</body></html>`;

// What is found, with the words that must be in what is said of it.
const BAD = {
  'a page that scrolls sideways': {
    body: '<div style="width: 2000px; height: 20px"></div>',
    says: /2016 px wide and scrolls sideways/,
  },
  'a text cut by the box that hides it': {
    body: '<p id="name" style="width: 60px; overflow: hidden; white-space: nowrap">A rather long name</p>',
    says: /^<p#name> "A rather long name" is cut by its own box$/,
  },
  'a line cut below by a box that is too low': {
    body: '<div class="card" style="height: 30px; overflow: hidden"><p style="margin: 0">One</p><p>Two</p></div>',
    says: /"Two" is cut by <div\.card>/,
  },
  'a text outside the window': {
    body: '<p style="position: fixed; left: -40px; top: 0">Far left</p>',
    says: /"Far left" is outside the window/,
  },
  'a text below a window that does not scroll': {
    body: '<p style="margin-top: 1200px">Deep</p>',
    css: 'body { overflow: hidden; height: 100vh; margin: 0 }',
    says: /"Deep" is below the window/,
  },
  'a text that sticks out of its button': {
    body: '<button style="width: 80px; height: 40px; white-space: nowrap; padding: 0">Send it to everybody now</button>',
    says: /sticks out of <button>/,
  },
  'two texts over each other': {
    body: '<p>First of them</p><p style="margin-top: -36px">Second of them</p>',
    says: /"First of them" and <p> "Second of them" overlap/,
  },
  'a badge over the end of a name': {
    body: '<p style="position: relative; width: 60px">Eleanor<b style="position: absolute; left: 40px">12</b></p>',
    says: /"Eleanor" and <b> "12" overlap/,
  },
  'a button over a text': {
    body: '<p>Read this line</p><button style="margin-top: -40px; height: 30px; display: block">Go on</button>',
    says: /overlap/,
  },
  'two buttons over each other': {
    body: '<button style="height: 40px; width: 80px">Yes</button><button style="height: 40px; width: 80px; margin-left: -20px">No</button>',
    says: /<button> "Yes" and <button> "No" overlap by 20 × 40 px/,
  },
  'a text too pale for its background': {
    body: '<section style="background: #fff"><p style="color: #999">Pale</p></section>',
    says: /<p> "Pale" has a contrast of 2\.85, less than 4\.5/,
  },
  'a text made pale by the opacity of what it is in': {
    body: '<section style="background: #fff; color: #000"><div style="opacity: 0.4"><p>Faded</p></div></section>',
    says: /"Faded" has a contrast of 2\.\d+/,
  },
  'a colour that is fine in the other scheme only': {
    body: '<p style="color: #333">Grey</p>',
    scheme: 'dark',
    says: /"Grey" has a contrast/,
  },
  'a pale large text': {
    body: '<section style="background: #fff"><p style="color: #aaa; font-size: 30px">Large</p></section>',
    says: /less than 3$/,
  },
  'a pale placeholder': {
    body: '<input aria-label="Name" placeholder="Your name" style="height: 30px; color: #000; background: #fff">',
    css: 'input::placeholder { color: #ccc }',
    says: /"Your name" has a contrast/,
  },
  'pale words that a style sheet adds': {
    body: '<p class="new" style="background: #fff; color: #000">A line</p>',
    css: '.new::after { content: "new"; color: #ccc }',
    says: /::after has a contrast/,
  },
  'a button too small to hit': {
    body: '<button style="width: 20px; height: 20px; padding: 0">×</button>',
    says: /is 20 × 20 px, less than 24 × 24/,
  },
  'an input without a label': {
    body: '<input id="search" style="height: 30px" placeholder="Search">',
    says: /<input#search> has no label/,
  },
  'a placeholder that does not fit': {
    body: '<input aria-label="Filter" placeholder="Filter by any part of a line" style="width: 90px; height: 30px">',
    says: /cuts its placeholder/,
  },
  'a button without words': {
    body: '<button style="width: 40px; height: 40px"><svg width="9" height="9"></svg></button>',
    says: /<button> has no words/,
  },
  'an image without a text in its place': {
    body: '<img src="data:image/gif;base64,R0lGODlhAQABAAAAACw=" width="20" height="20">',
    says: /<img> has no text in its place/,
  },
};

const FINE = {
  'a text for screen readers only': {
    body: '<label class="sr" for="a">A very long label of a field</label><input id="a" style="height: 30px">',
    css: '.sr { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); white-space: nowrap }',
  },
  'a long name that ends in an ellipsis': {
    body: '<p style="width: 60px; overflow: hidden; white-space: nowrap; text-overflow: ellipsis">A rather long name</p>',
  },
  'a list and a table that scroll in themselves': {
    body: `<div style="height: 60px; overflow-y: auto">${'<p>A line</p>'.repeat(20)}</div><button style="height: 30px">Below</button>
      <pre style="overflow-x: auto">${'wide '.repeat(300)}</pre>`,
  },
  'links in a text that breaks': {
    body: `<p>${'Some words and <a href="#">a link of several words</a> '.repeat(12)}</p>`,
    css: 'p { line-height: 1.25 } a { color: LinkText }',
  },
  'a tick with its label, and a button in a field': {
    body: `<label style="display: inline-flex; min-height: 24px"><input type="checkbox"> Follow</label>
      <div style="position: relative; width: 300px; margin-top: 9px"><input aria-label="Find" style="width: 100%; height: 40px">
      <button style="position: absolute; right: 6px; top: 6px; height: 28px">Clear</button></div>`,
  },
  'a notice that floats over the page': {
    body: '<p>First line of the page</p><p style="position: fixed; top: 16px; left: 16px; background: Canvas">Saved</p>',
  },
  'a closed drawer and a hidden one': {
    body: '<div style="height: 0; overflow: hidden"><p>Folded</p></div><p style="visibility: hidden; position: fixed; left: -200px">Away</p>',
  },
  'a disabled button in pale letters': {
    body: '<button disabled style="height: 30px; color: #aaa">Later</button>',
  },
};

describe('looks', () => {
  const own = useBrowser();
  let page;
  const problems = async ({ body, css, scheme = 'light' }) => {
    await page.emulateMedia({ colorScheme: scheme });
    await page.setContent(document(body, css));
    return problemsOf(page);
  };

  before(async () => {
    page = await own.browser.newPage({ viewport: { width: 1280, height: 800 } });
  });

  for (const [what, { says, ...content }] of Object.entries(BAD)) {
    it(`finds ${what}, and nothing else`, async () => {
      const found = await problems(content);
      assert.equal(found.length, 1, found.join('\n'));
      assert.match(found[0], says);
    });
  }

  for (const [what, content] of Object.entries(FINE)) {
    it(`lets pass ${what}`, async () => {
      assert.deepEqual(await problems(content), []);
    });
  }

  it('finds a page without title and language', async () => {
    await page.setContent('<!doctype html><p>Text');
    const found = await problemsOf(page);
    assert.deepEqual(found, ['the page has no title', '<html> does not say its language']);
  });

  it('says in which of the four looks a problem is, and leaves the page as it was', async () => {
    const css =
      '@media (max-width: 500px) { #a { white-space: nowrap; width: 50px; overflow: hidden } }';
    await page.setContent(document('<p id="a">Fine in a wide window</p>', css));
    const said =
      /page-a does not look right:\n {2}<p#a> .* is cut by its own box \(narrow light, narrow dark\)$/;
    await assert.rejects(looks(page, { name: 'page-a' }), { message: said });
    assert.deepEqual(page.viewportSize(), { width: 1280, height: 800 });
  });

  it('has the page prepared before each look', async () => {
    await page.setContent(
      document(
        '<details><summary>More</summary><p style="color: #777; background: #777">Grey</p></details>',
      ),
    );
    await looks(page, { name: 'closed' });
    const seen = [];
    const prepare = async (same, { size, scheme }) => {
      seen.push(`${size} ${scheme}`);
      await same.evaluate(() => Object.assign(document.querySelector('details'), { open: true }));
    };
    await assert.rejects(looks(page, { name: 'open', prepare }), /"Grey" has a contrast of 1\.00/);
    assert.deepEqual(seen, ['wide light', 'wide dark', 'narrow light', 'narrow dark']);
  });

  it('lets lie over other things what `over` names', async () => {
    const menu =
      '<p>A line of text</p><div class="menu" style="position: absolute; top: 4px"><p>Rename</p></div>';
    await page.setContent(document(menu));
    await assert.rejects(looks(page, { name: 'menu' }), /overlap/);
    await looks(page, { name: 'menu', over: '.menu' });
  });

  it('finds what the page says on the console, also before, unless it is expected', async () => {
    const loud = await own.browser.newPage();
    watch(loud);
    await loud.setContent(
      document(
        '<p>Fine</p><script>console.error("early"); setTimeout(() => { throw new Error("late") })</script>',
      ),
    );
    await assert.rejects(looks(loud, { name: 'loud' }), /console: early .*\n.*uncaught: late/);
    await looks(loud, { name: 'loud', expected: /early|late/ });
  });

  it('leaves a picture of each look in LOOKS_DIR', async () => {
    const dir = fs.mkdtempSync(path.join(os.tmpdir(), 'fanline-looks-'));
    const before = process.env.LOOKS_DIR;
    process.env.LOOKS_DIR = dir;
    try {
      await page.setContent(document('<p>Fine</p>'));
      await looks(page, { name: 'page' });
      const files = ['narrow-dark', 'narrow-light', 'wide-dark', 'wide-light'];
      assert.deepEqual(
        fs.readdirSync(dir).sort(),
        files.map((each) => `page-${each}.png`),
      );
    } finally {
      if (before === undefined) delete process.env.LOOKS_DIR;
      else process.env.LOOKS_DIR = before;
      fs.rmSync(dir, { recursive: true });
    }
  });
});
