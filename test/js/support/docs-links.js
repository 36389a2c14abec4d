'use strict';

// The links of the pages (docs.js): files and folders of this repository exist, and so do the headings that are named.

const fs = require('node:fs');
const path = require('node:path');
const { ROOT } = require('./docs');

const CODE = /^( *)```.*\n[\s\S]*?^\1```$|<!--[\s\S]*?-->|``[^`]+``|`[^`\n]*`/gm;
const LINK = /\[(?:[^[\]]|\[[^\]]*\])*\]\(([^)\s]+)(?: "[^"]*")?\)|<a [^>]*href="([^"]+)"/g;
const EXTERNAL = /^(https?|mailto):/;

/** The name by which GitHub lets a heading be linked. */
function anchorOf(heading) {
  return heading
    .trim()
    .toLowerCase()
    .replace(/[^\p{L}\p{N}\s_-]/gu, '')
    .replaceAll(' ', '-');
}

function anchorsOf(text) {
  const seen = new Map();
  const anchors = new Set();
  const prose = text.replace(/^( *)```.*\n[\s\S]*?^\1```$/gm, '');
  for (const [, heading] of prose.matchAll(/^#{1,6} +(.*)$/gm)) {
    const anchor = anchorOf(heading.replace(LINK, (link) => link.slice(1, link.indexOf(']'))));
    const count = seen.get(anchor) ?? 0;
    seen.set(anchor, count + 1);
    anchors.add(count === 0 ? anchor : `${anchor}-${count}`);
  }
  return anchors;
}

/** A link's text may be code, and so may other things that are no links. */
const proseOf = (text) =>
  text.replace(CODE, (code) => (code.startsWith('`') && !code.startsWith('```') ? 'x' : ''));

const linksOf = (text) =>
  [...proseOf(text).matchAll(LINK)].map(([, target, href]) => target ?? href);

function problemOfLink(link, page, text) {
  if (EXTERNAL.test(link)) return URL.canParse(link) ? null : 'is no URL';
  const [name, anchor] = link.split('#');
  const file = name === '' ? page : path.posix.join(path.posix.dirname(page), decodeURI(name));
  const full = path.join(ROOT, file);
  const isOurs = !file.startsWith('..');
  if (name !== '' && !(isOurs && fs.existsSync(full))) return `there is no ${file}`;
  if (anchor === undefined) return null;
  const target = name === '' ? text : fs.readFileSync(full, 'utf8');
  return anchorsOf(target).has(anchor) ? null : `${file} has no heading #${anchor}`;
}

/** @returns {string[]} the links of a page that lead nowhere */
function linkProblems(page, text) {
  return linksOf(text).flatMap((link) => {
    const problem = problemOfLink(link, page, text);
    return problem ? [`${link}: ${problem}`] : [];
  });
}

module.exports = { linkProblems, linksOf };
