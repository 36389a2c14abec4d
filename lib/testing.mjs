import testing from './testing.js';

export const { TestStream, closeAll, open } = testing;
export default testing;
