import { listen } from './shared-stream.js';

const $ = (id) => document.getElementById(id);
const WORDS = { live: 'Live', connecting: 'Connecting', ended: 'Ended' };
const SHOWN = 50;

function line({ text, at }) {
  const item = document.createElement('li');
  const time = document.createElement('time');
  const when = new Date(at);
  time.dateTime = when.toISOString();
  time.textContent = when.toLocaleTimeString('en-GB', { hour: '2-digit', minute: '2-digit' });
  const words = document.createElement('span');
  words.textContent = text;
  item.append(time, words);
  return item;
}

function show(notes) {
  $('notes').replaceChildren(...notes.map(line));
  $('empty').hidden = notes.length > 0;
}

function add(note) {
  $('notes').append(line(note));
  if ($('notes').children.length > SHOWN) $('notes').firstElementChild.remove();
  $('empty').hidden = true;
  $('notes').lastElementChild.scrollIntoView({ block: 'nearest' });
}

listen(({ state, notes, note, streams, tabs }) => {
  if (state) {
    $('state').dataset.state = state;
    $('state').textContent = WORDS[state];
  }
  if (notes) show(notes);
  if (note) add(note);
  if (streams != null) $('streams').textContent = streams;
  if (tabs) $('tabs').textContent = tabs;
});

$('write').addEventListener('submit', async (event) => {
  event.preventDefault();
  const text = $('text').value.trim();
  if (!text) return;
  $('text').value = '';
  try {
    const answer = await fetch('/notes', {
      method: 'POST',
      headers: { 'Content-Type': 'application/json' },
      body: JSON.stringify({ text }),
    });
    $('hint').textContent = answer.ok ? '' : (await answer.json()).error;
  } catch {
    $('hint').textContent = 'Not sent: the server cannot be reached';
  }
  if ($('hint').textContent) $('text').value = text;
});
