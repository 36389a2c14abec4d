'use strict';

// What sources hold in a page: timers, listeners of the window, and themselves.

/** To be called before the first source. @returns {Promise<() => Promise<object>>} counts `{ timers, listeners, sources }` */
async function watch({ tab, context }) {
  await tab.page.evaluate(() => {
    const timers = new Set();
    const { setTimeout: set, clearTimeout: clear } = window;
    window.setTimeout = (fn, ms) => {
      const timer = set(() => timers.delete(timer) && fn(), ms);
      timers.add(timer);
      return timer;
    };
    window.clearTimeout = (timer) => {
      timers.delete(timer);
      clear(timer);
    };
    window.timers = timers;
  });
  const devtools = await context.newCDPSession(tab.page);
  const evaluate = async (expression) =>
    (await devtools.send('Runtime.evaluate', { expression })).result.objectId;

  async function listeners() {
    const objectId = await evaluate('window');
    const found = await devtools.send('DOMDebugger.getEventListeners', { objectId });
    return found.listeners.filter(({ type }) => /^(on|off)line$/.test(type)).length;
  }

  async function sources() {
    await devtools.send('HeapProfiler.collectGarbage');
    const prototypeObjectId = await evaluate('prototypeOfClient');
    const { objects } = await devtools.send('Runtime.queryObjects', { prototypeObjectId });
    const { result } = await devtools.send('Runtime.callFunctionOn', {
      objectId: objects.objectId,
      functionDeclaration: 'function () { return this.length; }',
      returnByValue: true,
    });
    await devtools.send('Runtime.releaseObject', { objectId: objects.objectId });
    return result.value;
  }

  return async () => ({
    timers: await tab.page.evaluate(() => window.timers.size),
    listeners: await listeners(),
    sources: await sources(),
  });
}

module.exports = { watch };
