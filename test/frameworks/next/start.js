'use strict';

// `next start`, as a program.

const path = require('node:path');
const { NEXT } = require('./support');

process.chdir(path.join(__dirname, 'build'));
process.argv.push('start');
require(NEXT);
