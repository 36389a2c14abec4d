// What the constructor is given.

const DEFAULTS = {
  withCredentials: false,
  method: undefined, // GET, or POST if there is a body
  headers: undefined,
  body: undefined,
  signal: undefined,
  lastEventId: '',
  retry: {},
  silence: false,
  batch: 'batch',
  parse: undefined,
  fetch: undefined,
};
const RETRY = { min: 1_000, max: 30_000, attempts: Infinity };
const NO_RETRY = { attempts: 0 };

function wrong(what) {
  return Object.assign(new TypeError(what), { code: 'ERR_FAN_OPTION' });
}

function withDefaults(defaults, given) {
  const all = { ...defaults };
  for (const [name, value] of Object.entries(given)) {
    if (!(name in defaults)) throw wrong(`Unknown option "${name}"`);
    if (value !== undefined) all[name] = value;
  }
  return all;
}

/** The options with their defaults. @throws {TypeError} `ERR_FAN_OPTION` */
export function optionsOf(given) {
  const options = withDefaults(DEFAULTS, given);
  const { body, method, retry, silence } = options;
  if (typeof (retry || NO_RETRY) !== 'object') throw wrong('"retry" is not an object or false');
  options.retry = withDefaults(RETRY, retry || NO_RETRY);
  for (const [name, value] of Object.entries({ ...options.retry, silence: silence || 0 })) {
    if (!(typeof value === 'number' && value >= 0)) throw wrong(`"${name}" is not a number >= 0`);
  }
  options.method = (method ?? (body === undefined ? 'GET' : 'POST')).toUpperCase();
  if (body !== undefined && options.method === 'GET') throw wrong('GET with "body"');
  if (body?.getReader) throw wrong('A stream as "body" cannot be sent twice');
  return options;
}

/** @throws {DOMException} `SyntaxError`, as the standard says */
export function absolute(url) {
  try {
    return new URL(url, globalThis.document?.baseURI ?? globalThis.location?.href).href;
  } catch {
    throw new DOMException(`Invalid URL: ${url}`, 'SyntaxError');
  }
}

/** Header values are bytes, ids are text: what is sent is its UTF-8. */
export function asHeader(id) {
  return Array.from(new TextEncoder().encode(id), (byte) => String.fromCharCode(byte)).join('');
}
