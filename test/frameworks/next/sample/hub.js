import { createHub } from 'fanline';

// One for all routes, and for as long as the process lives: development loads modules again whenever they change.
function begin() {
  const hub = createHub();
  process.once('SIGTERM', () => hub.close({ grace: 2_000 })); // else Next waits for them for ever
  return hub;
}

globalThis.hub ??= begin();
export const { hub } = globalThis;
