'use strict';
module.exports = { definesHubs() {} };
