import { EventSource } from 'fanline/client';
import { Lines } from './lines.js';

const $ = (id) => document.getElementById(id);
const number = new Intl.NumberFormat('en');
const log = $('log');
const lines = new Lines($('lines'), show);
let source = null;
let arrived = 0; // since the rate was last shown

function show() {
  const { isPaused, waiting, found } = lines;
  $('pause').textContent = isPaused ? `Go on (${number.format(waiting)})` : 'Pause';
  $('found').hidden = found === null;
  $('found').textContent = number.format(found ?? 0);
  log.classList.toggle('only', found !== null && $('only').checked);
  $('latest').hidden = isAtEnd();
}

// The log is laid out from its end (column-reverse): the browser keeps the end in sight, or the lines that were scrolled to.
function isAtEnd() {
  return log.scrollTop > -40;
}

function state(name, text) {
  $('state').dataset.state = name;
  $('state').textContent = text;
}

function connect() {
  source?.close();
  lines.clear();
  state('connecting', 'Connecting');
  // A batch arrives as the lines in it. After a break, what was missed comes first; or `begin`, and the last lines anew.
  source = new EventSource(`events?level=${$('level').value}`, {
    parse: JSON.parse,
    silence: 45_000,
  });
  source.addEventListener('open', () => state('live', 'Live'));
  source.addEventListener('begin', () => lines.clear());
  source.addEventListener('line', ({ data }) => {
    arrived += 1;
    lines.add(data);
  });
  source.addEventListener('error', ({ delay, message }) => {
    if (delay === null) state('ended', `Ended: ${message}`);
    else state('connecting', 'Connecting again');
  });
}

$('tools').addEventListener('submit', (event) => event.preventDefault());
$('level').addEventListener('change', connect);
$('find').addEventListener('input', ({ target }) => lines.search(target.value));
$('only').addEventListener('change', show);
$('pause').addEventListener('click', () => lines.pause(!lines.isPaused));
log.addEventListener('scroll', show);
$('latest').addEventListener('click', () => {
  log.scrollTop = 0;
});

$('writer').addEventListener('change', ({ target }) => {
  const headers = { 'Content-Type': 'application/json' };
  fetch('writer', {
    method: 'POST',
    headers,
    body: JSON.stringify({ rate: Number(target.value) }),
  });
});

setInterval(() => {
  $('rate').textContent = number.format(arrived);
  arrived = 0;
}, 1_000);

connect();

const { file, isDemo } = await (await fetch('about')).json();
$('file').textContent = file;
$('demo').hidden = !isDemo;
