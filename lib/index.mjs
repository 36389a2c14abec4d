import fanline from './index.js';

export const { createHub, sse } = fanline;
export default fanline;
