'use strict';

// Promise 9: the same meaning on every path. One suite over every transport and framework, read byte for byte.

const BEHAVIOURS = require('./suite/all');
const { overMatrix } = require('./suite/world');

describe('behaviour', () => overMatrix(Object.values(BEHAVIOURS)));
