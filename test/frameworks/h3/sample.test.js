'use strict';

const path = require('node:path');
const { describeSample } = require('../support/rooms');

describeSample(path.join(__dirname, 'sample.mjs'));
