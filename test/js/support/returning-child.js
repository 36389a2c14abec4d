'use strict';

// A process full of readers (returning.js). Told `{ open: { port, path, count } }` or `{ until: n }`, it answers once each
// reader has had its first, or its `n`th, stream; told `{ report: true }`, it answers what each has seen.

const { Returning } = require('./returning');

const OPENING = 100; // at the same time

let readers = [];

function had(n) {
  return readers.filter(({ streams }) => streams.length >= n).length;
}

function until(n) {
  return new Promise((resolve) => {
    const look = setInterval(() => {
      if (had(n) < readers.length) return;
      clearInterval(look);
      resolve();
    }, 20);
  });
}

async function open({ port, path, count }) {
  readers = Array.from({ length: count }, () => new Returning(port, path));
  let next = 0;
  const more = setInterval(() => {
    const most = Math.min(count, had(1) + OPENING);
    while (next < most) readers[next++].come();
  }, 5);
  await until(1);
  clearInterval(more);
}

process.on('message', async (message) => {
  if (message.open) await open(message.open);
  if (message.until) await until(message.until);
  process.send(
    message.report
      ? readers.map(({ streams, tries, sentAway, refused, onOld, firstOut }) => {
          return { streams, tries, sentAway, refused, onOld, firstOut };
        })
      : {},
  );
});

process.on('disconnect', () => {
  for (const reader of readers) reader.close();
});
