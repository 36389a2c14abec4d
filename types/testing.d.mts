export * from './testing.js';

import { closeAll, open, TestStream } from './testing.js';

declare const testing: {
  readonly TestStream: typeof TestStream;
  readonly closeAll: typeof closeAll;
  readonly open: typeof open;
};
export default testing;
