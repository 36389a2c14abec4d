// For `import` what NODE_PATH is for `require`: the packages of test/docs, behind those of the root. Loaded with --import,
// it registers itself.

import * as modules from 'node:module';
import { isMainThread } from 'node:worker_threads';

const parentURL = new URL('../../docs/package.json', import.meta.url).href;
const isMissing = (err) => err.code === 'ERR_MODULE_NOT_FOUND';

/** Of Node 22.15 and later. */
function resolveNow(specifier, context, next) {
  try {
    return next(specifier, context);
  } catch (err) {
    if (!isMissing(err)) throw err;
    return next(specifier, { ...context, parentURL });
  }
}

export async function resolve(specifier, context, next) {
  try {
    return await next(specifier, context);
  } catch (err) {
    if (!isMissing(err)) throw err;
    return next(specifier, { ...context, parentURL });
  }
}

if (modules.registerHooks) modules.registerHooks({ resolve: resolveNow });
else if (isMainThread) modules.register(import.meta.url);
