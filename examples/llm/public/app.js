// The page: what was said, what is being said, and the composer, whose button sends or stops.

import { ask } from './answer.js';
import { Typewriter } from './typewriter.js';

const REMEMBERED = 20; // messages that go with a question

const $ = (id) => document.getElementById(id);
const messages = [];
let current = null; // the answer that is being given

function showState(state, text) {
  $('state').dataset.state = state;
  $('state').textContent = text;
  $('send').textContent = current ? 'Stop' : 'Send';
}

/** Follows the text, unless the reader has scrolled up to read. */
function following(change) {
  const log = $('log');
  const isAtEnd = log.scrollHeight - log.scrollTop - log.clientHeight < 40;
  change();
  if (isAtEnd) log.scrollTop = log.scrollHeight;
}

function addTurn(question) {
  $('start').hidden = true;
  const turn = $('turn').content.firstElementChild.cloneNode(true);
  turn.querySelector('.asked .text').textContent = question;
  $('log').append(turn);
  $('log').scrollTop = $('log').scrollHeight;
  return turn.querySelector('.answer');
}

function say(question) {
  const answer = addTurn(question);
  const text = answer.querySelector('.text').appendChild(new Text());
  const typewriter = new Typewriter((more) => following(() => text.appendData(more)));
  const begun = performance.now();
  let said = '';
  let pieces = 0;

  messages.push({ role: 'user', content: question });
  current = ask(
    { model: $('model').value, messages: messages.slice(-REMEMBERED) },
    {
      onText(more) {
        if (more) pieces++;
        said += more;
        typewriter.add(more);
        showState('live', 'Answering');
      },
      async onEnd({ problem, isStopped }) {
        current = null;
        messages.push({ role: 'assistant', content: said });
        const seconds = ((performance.now() - begun) / 1_000).toFixed(1);
        await typewriter.end();
        following(() => {
          answer.ariaBusy = 'false';
          answer.querySelector('.problem').hidden = !problem;
          answer.querySelector('.problem').textContent = problem ? `${problem}.` : '';
          const how = isStopped ? ' · stopped' : '';
          answer.querySelector('.detail').textContent = `${pieces} tokens · ${seconds} s${how}`;
        });
        if (!current) showState('ended', 'Ready');
      },
    },
  );
  showState('connecting', 'Thinking');
}

$('composer').addEventListener('submit', (event) => {
  event.preventDefault();
  const question = $('question').value.trim();
  if (current) current.stop();
  else if (question) {
    $('question').value = '';
    say(question);
  }
});

$('question').addEventListener('keydown', (event) => {
  if (event.key === 'Enter' && !event.shiftKey && !event.isComposing) {
    event.preventDefault();
    if (!current) $('composer').requestSubmit();
  }
});
document.addEventListener('keydown', ({ key }) => key === 'Escape' && current?.stop());

for (const idea of document.querySelectorAll('.idea')) {
  idea.onclick = () => {
    if (!current) say(idea.textContent);
    $('question').focus();
  };
}

const { data } = await (await fetch('v1/models')).json();
for (const { id } of data) $('model').append(new Option(id, id));
