// One answer of POST /v1/chat/completions: fanline/client reads the stream, and never asks twice.

import { EventSource } from 'fanline/client';

const DONE = '[DONE]';

/**
 * @param {{model: string, messages: object[]}} question
 * @param {{onText: (text: string) => void, onEnd: (end: {problem?: string, isStopped?: boolean}) => void}} listener
 * @returns {{stop: () => void}}
 */
export function ask(question, { onText, onEnd }) {
  const source = new EventSource('v1/chat/completions', {
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify({ ...question, stream: true }),
    retry: false,
    parse: (text) => (text === DONE ? DONE : JSON.parse(text)),
  });
  let isOver = false;
  const end = (how) => {
    if (isOver) return;
    isOver = true;
    source.close(); // the server notices, and stops its model
    onEnd(how);
  };

  source.onmessage = ({ data }) => {
    if (data === DONE) end({});
    else if (data.error) end({ problem: data.error.message });
    else onText(data.choices[0]?.delta.content ?? '');
  };
  source.onerror = ({ status }) => end({ problem: problemOf(status) });
  source.addEventListener('fanline:end', () => end({ problem: 'The answer broke off' }));
  return { stop: () => end({ isStopped: true }) };
}

function problemOf(status) {
  if (status === 429) return 'Too many questions at a time. Try again in a moment';
  if (status > 0) return `The server has refused this (${status})`;
  return 'The connection broke off';
}
