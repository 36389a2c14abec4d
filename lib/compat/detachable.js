'use strict';

// Methods that better-sse lets an application take off their object (`stream.on('data', session.push)`): bound when they are first
// looked at, so that who only listens to a channel carries none of them.

/** Is it this class' own method that `object` has by that name, and not a subclass' over it? */
function isOwnOf(Class, object, name) {
  let proto = Object.getPrototypeOf(object);
  while (proto !== null && !Object.hasOwn(proto, name)) proto = Object.getPrototypeOf(proto);
  return proto === Class.prototype;
}

function define(object, name, value) {
  Object.defineProperty(object, name, { value, writable: true, configurable: true });
}

/** @param {Function} Class @param {string[]} names of methods of its prototype */
function detachable(Class, names) {
  for (const name of names) {
    const method = Class.prototype[name];
    Object.defineProperty(Class.prototype, name, {
      configurable: true,
      get() {
        if (this === Class.prototype) return method;
        const bound = method.bind(this);
        if (isOwnOf(Class, this, name)) define(this, name, bound);
        return bound;
      },
      set(value) {
        define(this, name, value);
      },
    });
  }
}

module.exports = { detachable };
