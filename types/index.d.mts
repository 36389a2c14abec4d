export * from './index.js';

import { createHub, sse } from './index.js';

declare const fanline: {
  readonly createHub: typeof createHub;
  readonly sse: typeof sse;
};
export default fanline;
