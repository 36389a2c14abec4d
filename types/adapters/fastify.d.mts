import type { FanlinePlugin } from './fastify.js';

export type { AdapterOptions, FanlinePlugin } from './fastify.js';

declare const fanline: FanlinePlugin;
export default fanline;
