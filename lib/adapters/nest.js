'use strict';

// NestJS: a module that provides a hub. Dynamic modules are plain objects, and a hub is no class of Nest's: nothing of Nest is
// required here, neither its version nor its decorators.

const errors = require('../errors');
const { OPTION, checkKeys, isPlain } = require('../checks');
const { adapted } = require('./options');

const ASYNC_KEYS = ['imports', 'inject', 'useFactory', 'isGlobal'];
const ADAPTED = Symbol('fanline.adapted');

/** The token of the hub; a class, so that it can be the type of a constructor's parameter too. Nobody makes one. */
class FanlineHub {}

/** Nest calls it after onModuleDestroy, whose listeners may still send, and before it closes the server, which would wait. */
class Shutdown {
  constructor({ close }) {
    this.beforeApplicationShutdown = close;
  }
}

/** What tells Nest's modules apart. */
class FanlineModule {}

function dynamicModule({ imports = [], inject = [], useFactory, isGlobal = true }) {
  return {
    module: FanlineModule,
    global: isGlobal,
    imports,
    providers: [
      { provide: ADAPTED, inject, useFactory },
      { provide: FanlineHub, inject: [ADAPTED], useFactory: ({ hub }) => hub },
      { provide: Shutdown, inject: [ADAPTED], useFactory: (it) => new Shutdown(it) },
    ],
    exports: [FanlineHub],
  };
}

FanlineModule.forRoot = (options = {}) => {
  const { isGlobal, ...rest } = options;
  // A hub for each application that is made of this module: tests make several.
  const adapt = () => adapted(rest, 'forRoot()', ['isGlobal']);
  return dynamicModule({ isGlobal, useFactory: adapt });
};

FanlineModule.forRootAsync = (options) => {
  if (!isPlain(options)) throw errors.optionError('options', 'a plain object', options);
  checkKeys(options, ASYNC_KEYS, '', OPTION, 'forRootAsync()');
  const { useFactory } = options;
  if (typeof useFactory !== 'function') {
    throw errors.optionError('useFactory', 'a function', useFactory);
  }
  const adapt = async (...found) => adapted(await useFactory(...found), 'forRootAsync()');
  return dynamicModule({ ...options, useFactory: adapt });
};

module.exports = { FanlineHub, FanlineModule };
