'use strict';

// What the examples' pages share, as Express middleware: /shared/base.css, and fanline/client with its parser for pages that
// have no bundler. Such a page says where they are:
//
//   <script type="importmap">
//     { "imports": { "fanline/client": "/fanline/client.mjs", "eventsource-parser": "/eventsource-parser/index.js" } }
//   </script>

const path = require('node:path');
const express = require('express');

/** The folder of a file that a page may load. */
const folderOf = (entry) => path.dirname(require.resolve(entry));

/** @returns {import('express').Router} */
module.exports = function assets() {
  const router = express.Router();
  router.use('/shared', express.static(__dirname, { extensions: ['css'] }));
  router.use('/fanline', express.static(folderOf('fanline/client')));
  router.use('/eventsource-parser', express.static(folderOf('eventsource-parser')));
  return router;
};
