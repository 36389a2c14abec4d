export * from './better-sse.js';
