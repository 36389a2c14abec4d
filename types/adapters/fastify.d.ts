import type { FastifyPluginAsync } from 'fastify';
import type { Client, ClientOptions, Hub } from '../index.js';
import type { AdapterOptions } from './options.js';

export type { AdapterOptions } from './options.js';

declare module 'fastify' {
  interface FastifyInstance {
    /** The hub of this scope. */
    hub: Hub;
  }
  interface FastifyReply {
    /**
     * Turns this reply into an event stream of the scope's hub, as `Hub.connect` does. Headers set
     * with `reply.header()` are sent; `onSend` hooks do not run, as with `reply.hijack()`.
     * @throws as `Hub.connect`; nothing was sent then, and the error handler may answer
     */
    sse(opts?: ClientOptions): Client;
  }
}

/**
 * A plugin for Fastify 5: gives the scope that registers it `hub` and `reply.sse()`, and closes the
 * hub in `preClose`, before the server waits for open answers.
 * @throws TypeError or RangeError `ERR_FAN_OPTION` when Fastify starts
 */
export type FanlinePlugin = FastifyPluginAsync<AdapterOptions>;

declare const fanline: FanlinePlugin;
export default fanline;
