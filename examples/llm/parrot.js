'use strict';

// This is no model. It is a parrot that says prepared sentences, word by word, and stands where the call of your model's SDK
// would be. It has the shape that those have: an async iterable of small pieces of text, made while it is read, which takes a
// signal and may throw in the middle.

const { setImmediate: turn, setTimeout: sleep } = require('node:timers/promises');

const MODELS = {
  parrot: { pause: 35, cut: words }, // ms between two pieces
  'parrot-slow': { pause: 400, cut: words },
  'parrot-fast': { pause: 0, cut: words }, // as fast as it is read
  'parrot-splinters': { pause: 0, cut: splinters },
};

const SENTENCES = [
  'A server-sent event is a few lines of text and a blank one, in a response that does not end.',
  'Tokens are small and many, so what each of them costs is what counts.',
  'Whoever reads slowly makes me wait: I am not asked for the next word until there is room for it.',
  'When you leave, I am told at once, and stop.',
  'An answer that is complete says so, and nobody has to guess from the end of a connection.',
  'Between two words, when I think for long, a comment keeps proxies from cutting the line.',
  'If I fail in the middle, you get what I said before, and then the reason.',
  'I have no idea what I am talking about; I only look as if I were typing.',
];
const SCRIPTS =
  'Good day! Grüß Gott! Καλημέρα! Добрый день! שלום! صباح الخير! नमस्ते! สวัสดี! 你好！ こんにちは！ 안녕하세요! 👋🏽 👩‍👩‍👧‍👦 🏴󠁧󠁢󠁳󠁣󠁴󠁿 𝄞';

/** What has been done so far, for GET /stats. */
const counts = { running: 0, pieces: 0 };

function words(text) {
  return text.match(/\s*\S+/g) ?? [];
}

/** In the middle of characters, as tokens of real models may be: a piece may be half of a surrogate pair. */
function splinters(text) {
  return text.split('');
}

/** What there is to say, sentence by sentence. */
function* speech(question) {
  yield `You asked: “${question}”`;
  if (/scripts/i.test(question)) {
    yield `\n\n${SCRIPTS}`;
    return;
  }
  const isEndless = /until i stop/i.test(question);
  const isToFail = /break off/i.test(question);
  const start = question.length % SENTENCES.length;
  for (let i = 0; isEndless || i < 4; i++) {
    if (isToFail && i === 2) throw new Error('The parrot has flown away');
    yield `${i % 4 === 0 ? '\n\n' : ' '}${SENTENCES[(start + i) % SENTENCES.length]}`;
  }
}

/**
 * @param {{model: string, question: string, limit: number}} order `limit`: of pieces
 * @param {AbortSignal} signal
 * @returns {AsyncGenerator<{text: string} | {finish: 'stop' | 'length'}>}
 */
async function* ask({ model, question, limit }, signal) {
  const { pause, cut } = MODELS[model];
  let left = limit;
  counts.running++;
  try {
    for (const sentence of speech(question)) {
      for (const text of cut(sentence)) {
        await (pause ? sleep(pause, undefined, { signal }) : turn(undefined, { signal }));
        if (left-- === 0) {
          yield { finish: 'length' };
          return;
        }
        counts.pieces++;
        yield { text };
      }
    }
    yield { finish: 'stop' };
  } finally {
    counts.running--;
  }
}

module.exports = { MODELS, ask, counts };
