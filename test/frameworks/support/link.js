'use strict';

// Makes `require('fanline')` in these packages mean this project, as it is where it was installed.

const fs = require('node:fs');
const path = require('node:path');

const link = path.join(process.cwd(), 'node_modules', 'fanline');
try {
  fs.symlinkSync(path.join(__dirname, '..', '..', '..'), link, 'junction');
} catch (err) {
  if (err.code !== 'EEXIST') throw err;
}
