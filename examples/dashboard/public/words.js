// Numbers as a person reads them.

const UNITS = ['B', 'KB', 'MB', 'GB', 'TB', 'PB'];
const whole = new Intl.NumberFormat('en', { maximumFractionDigits: 0 });
const short = new Intl.NumberFormat('en', { maximumSignificantDigits: 3 });

export function bytes(value) {
  const power = Math.min(UNITS.length - 1, Math.floor(Math.log2(Math.max(1, value)) / 10));
  return `${short.format(value / 1024 ** power)} ${UNITS[power]}`;
}

export const perSecond = (value) => `${bytes(value)}/s`;
export const percent = (value) => `${short.format(value)} %`;
export const ms = (value) => `${short.format(value)} ms`;
export const count = (value) => whole.format(value);
