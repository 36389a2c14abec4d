'use strict';

// Fastify 5: a plugin that gives its scope a hub, and every reply in it a stream. It needs nothing of Fastify's to be required.

const { adapted } = require('./options');

const OF_REGISTER = ['prefix', 'logLevel', 'logSerializers']; // Fastify's own, which a plugin is handed too

/** What was set with `reply.header()` lies in the reply until Fastify sends it, which it will not do. */
function passHeaders({ raw }, headers) {
  if (raw.headersSent) return; // connect() says so
  for (const name in headers) raw.setHeader(name, headers[name]);
}

/** Async, so that what it throws is Fastify's to tell. */
async function fanline(fastify, options) {
  const { hub, close } = adapted(options, 'register()', OF_REGISTER);

  fastify.decorate('hub', hub);
  fastify.decorateReply('sse', function (opts) {
    passHeaders(this, this.getHeaders());
    const client = hub.connect(this.request.raw, this.raw, opts);
    this.hijack(); // only now: what connect() throws is answered by Fastify
    return client;
  });
  // Not onClose, which waits for the answers that are open.
  fastify.addHook('preClose', close);
}

// What fastify-plugin does: the scope that registers it has it, not one below.
fanline[Symbol.for('skip-override')] = true;
fanline[Symbol.for('fastify.display-name')] = 'fanline';
fanline[Symbol.for('plugin-meta')] = { name: 'fanline', fastify: '5.x' };

module.exports = fanline;
module.exports.default = fanline; // for TypeScript without esModuleInterop
