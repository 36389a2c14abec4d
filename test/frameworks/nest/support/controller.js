'use strict';

// Controllers without the syntax of decorators: one route, which hands everything to a function.

const { All, Controller, Inject, Req, Res, UseFilters, UseGuards } = require('@nestjs/common');
const { FanlineHub } = require('fanline/nest');

/**
 * @param {(req, res, hub) => unknown} handle called with what the platform has for a request and a response
 * @param {{path?: string, filters?: object[], guards?: object[]}} [options]
 */
function controller(handle, { path = 'events', filters = [], guards = [] } = {}) {
  class Routes {
    constructor(hub) {
      this.hub = hub;
    }

    open(req, res) {
      return handle(req, res, this.hub);
    }
  }
  const open = Object.getOwnPropertyDescriptor(Routes.prototype, 'open');
  Inject(FanlineHub)(Routes, undefined, 0);
  Req()(Routes.prototype, 'open', 0);
  Res()(Routes.prototype, 'open', 1);
  All(path)(Routes.prototype, 'open', open);
  UseGuards(...guards)(Routes);
  UseFilters(...filters)(Routes);
  Controller()(Routes);
  return Routes;
}

/** A module of these. */
function moduleOf(imports, controllers, providers = []) {
  class App {}
  return { module: App, imports, controllers, providers };
}

module.exports = { controller, moduleOf };
