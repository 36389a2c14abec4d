'use strict';

// Whether a page can be looked at: in a wide and a narrow window, light and dark, nothing is cut, hidden behind something, too
// pale to read or too small to hit, and nothing has to be scrolled sideways.

const path = require('node:path');
const { audit } = require('./looks-audit');

const SIZES = { wide: { width: 1280, height: 800 }, narrow: { width: 390, height: 844 } };
const SCHEMES = ['light', 'dark'];

/** Runs in the page: the end of what moves, and a frame painted with it. */
async function settle() {
  await document.fonts.ready;
  for (const animation of document.getAnimations()) {
    try {
      animation.finish();
    } catch {
      animation.cancel(); // it has no end
    }
  }
  const frame = () => new Promise((resolve) => requestAnimationFrame(resolve));
  const noFrame = new Promise((resolve) => setTimeout(resolve, 250)); // a tab behind another paints none
  await Promise.race([frame().then(frame), noFrame]);
}

/** What is wrong with the page as it stands, as sentences that name the element. */
async function problemsOf(page, { over = '' } = {}) {
  await page.evaluate(settle);
  return page.evaluate(audit, { over });
}

/** Notes errors on the console and uncaught ones in `page.problems`, from now on. */
function watch(page) {
  if (page.problems) return;
  page.problems = [];
  page.on('pageerror', (error) => page.problems.push(`uncaught: ${error.message}`));
  page.on('console', (message) => {
    if (message.type() !== 'error') return;
    const { url } = message.location();
    page.problems.push(`console: ${message.text()}${url ? ` (${url})` : ''}`);
  });
}

/**
 * Rejects with everything that is wrong, each with where it was seen. With LOOKS_DIR in the environment it leaves a picture of
 * each look there: <name>-wide-light.png and so on.
 *
 * @param {import('playwright-core').Page} page
 * @param {object} options
 * @param {string} options.name of the page, for messages and pictures
 * @param {(page, { size: 'wide' | 'narrow', scheme: 'light' | 'dark' }) => Promise<void>} [options.prepare] before each look:
 *   open a menu, bring the page into the state that is to be seen
 * @param {string} [options.over] selector of what lies over other things on purpose and is neither fixed nor a dialog
 * @param {RegExp} [options.expected] errors on the console that belong to the test
 */
async function looks(page, { name, prepare, over, expected }) {
  watch(page);
  const before = page.viewportSize();
  const found = new Map(); // problem → where
  const note = (problem, where) => found.set(problem, [...(found.get(problem) ?? []), where]);
  for (const [size, viewport] of Object.entries(SIZES)) {
    for (const scheme of SCHEMES) {
      await page.setViewportSize(viewport);
      await page.emulateMedia({ colorScheme: scheme, reducedMotion: 'reduce' });
      await prepare?.(page, { size, scheme });
      for (const problem of await problemsOf(page, { over })) note(problem, `${size} ${scheme}`);
      if (!process.env.LOOKS_DIR) continue;
      const file = path.join(process.env.LOOKS_DIR, `${name}-${size}-${scheme}.png`);
      await page.screenshot({ path: file, fullPage: true });
    }
  }
  if (before) await page.setViewportSize(before);
  await page.emulateMedia({ colorScheme: null, reducedMotion: null });
  for (const problem of page.problems) {
    if (!expected?.test(problem)) note(problem, 'while it ran');
  }
  if (found.size === 0) return;
  const lines = [...found].map(([problem, where]) => `  ${problem} (${where.join(', ')})`);
  throw new Error(`${name} does not look right:\n${lines.join('\n')}`);
}

module.exports = { SIZES, looks, problemsOf, watch };
