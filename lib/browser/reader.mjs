// The text of one stream, as it arrives, into its events.
//
// The parser reads the fields of a block. Lines and ids are looked at here, because it waits for the character behind a CR
// before it believes in a line's end, and forgets the id of a block without data; the standard (WHATWG HTML 9.2.6) does neither.

import { createParser } from 'eventsource-parser';
import { Failure } from './failure.mjs';

const LENGTH_MAX = 1 << 26; // characters of one event: nothing that a server sends grows without end

/**
 * @param {string} id what the stream before had last
 * @param {AbortSignal} signal once it is aborted, nothing more is told
 * @param {(id: string) => void} onBlock a block is over, and this is the id from now on
 * @param {(event: { event?: string, data: string }) => void} onEvent the block was an event
 * @param {(ms: number) => void} onRetry
 * @returns {(text: string) => void} takes a piece of text; throws when an event is too large
 */
export function createReader(id, signal, onBlock, onEvent, onRetry) {
  let line = '';
  let length = 0; // of a block's data
  let isBehindCR = false;
  const parser = createParser({ onEvent, onRetry });

  function take() {
    if (line === '') {
      length = 0;
      onBlock(id);
    } else if (line.startsWith('data')) {
      length += line.length;
    } else if (/^id(:|$)/.test(line) && !line.includes('\0')) {
      id = line.slice(3).replace(/^ /, '');
    }
    parser.feed(`${line}\n`);
    line = '';
  }

  return (text) => {
    if (text === '') return;
    const lines = (isBehindCR && text[0] === '\n' ? text.slice(1) : text).split(/\r\n|[\r\n]/);
    isBehindCR = text.endsWith('\r');
    for (const [i, more] of lines.entries()) {
      if (i > 0) take();
      if (signal.aborted) return;
      line += more;
      if (length + line.length > LENGTH_MAX) {
        throw new Failure('TOO_LARGE', 'Event too large', null);
      }
    }
  };
}
