// For `import` what NODE_PATH is for `require`: the packages of test/docs, behind those of the root. Loaded with --import,
// it registers itself.

import { register } from 'node:module';
import { isMainThread } from 'node:worker_threads';

const parentURL = new URL('../../docs/package.json', import.meta.url).href;

if (isMainThread) register(import.meta.url);

export async function resolve(specifier, context, next) {
  try {
    return await next(specifier, context);
  } catch (err) {
    if (err.code !== 'ERR_MODULE_NOT_FOUND') throw err;
    return next(specifier, { ...context, parentURL }).catch(() => Promise.reject(err));
  }
}
