// In CommonJS too, where Nest itself, of ES modules only, can be imported with the newest compilers alone.
import type { Hub } from 'fanline';
import nest = require('fanline/nest');

class Config {}

const options: nest.AsyncModuleOptions = {
  imports: [
    Config,
    { module: Config },
    Promise.resolve({ module: Config }),
    { forwardRef: () => Config },
  ],
  useFactory: () => ({ hub: { retry: 5 } }),
};
const made: { module: new () => unknown; exports: unknown[] } =
  nest.FanlineModule.forRootAsync(options);

// @ts-expect-error: no module
const wrong: nest.AsyncModuleOptions = { imports: ['Config'], useFactory: () => ({}) };
// @ts-expect-error: an unknown option
nest.FanlineModule.forRoot({ hbu: {} });

export function say(hub: nest.FanlineHub<{ tick: number }>): Hub<{ tick: number }> {
  // @ts-expect-error: no such event
  hub.broadcast(1, { event: 'tock' });
  hub.broadcast(made.exports.length, { event: 'tick' });
  return hub;
}
export { wrong };
