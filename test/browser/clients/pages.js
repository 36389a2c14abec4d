'use strict';

// The pages that stock clients run in, and the scripts from their packages.

const fs = require('node:fs');
const path = require('node:path');

const MODULES = path.join(__dirname, '..', 'node_modules');

/** `/?/a.js&/b.js` is a page with these scripts; anything else is a file of a package. */
function pages(req, res) {
  const { pathname, search } = new URL(req.url, 'http://localhost');
  if (pathname === '/') {
    const sources = search === '' ? [] : search.slice(1).split('&');
    const scripts = sources.map((source) => `<script src="${source}"></script>`);
    const head = `<meta charset="utf-8"><link rel="icon" href="data:,">${scripts.join('')}`;
    res.writeHead(200, { 'Content-Type': 'text/html' });
    res.end(`<!doctype html><title>x</title>${head}<body></body>`);
    return;
  }
  const wanted = path.join(MODULES, pathname);
  const file = fs.existsSync(wanted) ? wanted : `${wanted}.js`; // imports without an extension
  if (!file.startsWith(MODULES) || !fs.existsSync(file)) {
    res.writeHead(404).end();
    return;
  }
  res.writeHead(200, { 'Content-Type': 'text/javascript' });
  fs.createReadStream(file).pipe(res);
}

module.exports = { pages };
