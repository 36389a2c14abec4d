import path from 'node:path';
import sample from './sample.config.mjs';

// A package within another's folder: Next would ask which of them is the application.
const root = path.join(import.meta.dirname, '..');

export default { ...sample, outputFileTracingRoot: root, turbopack: { root } };
