// A tab: one EventSource of the browser's own. Which process it reaches is nginx' choice, each time anew.

import { $, addLine, element, showTime } from './dom.js';
import { Processes } from './processes.js';
import { Tally } from './tally.js';

const KEPT = 60; // lines of a list
const tally = new Tally();
const processes = new Processes($('processes'), kill);

let here = null; // the last welcome
let lostAt = 0; // 0: it is not
let replayed = 0; // since then: what comes before the welcome is what was missed

// ---- The stream --------------------------------------------------------------------------------

const handlers = {
  welcome(welcome) {
    const before = here;
    here = welcome;
    processes.welcome(welcome);
    showRedis(welcome.redis);
    $('kill-redis').hidden = !welcome.canKill;
    showState('live', `Served by ${welcome.process}`);
    document.title = `${welcome.process} · Cluster`;
    const who = `process ${welcome.process} (pid ${welcome.pid})`;
    if (before === null || !welcome.isBack) {
      tally.begin(welcome.at);
      happened(`Connected to ${who}.`, 'good');
    } else {
      const away = ((Date.now() - lostAt) / 1_000).toFixed(1);
      const where = before.process === welcome.process ? 'Back at' : 'Reconnected to';
      const what = `${replayed} ${replayed === 1 ? 'message' : 'messages'} replayed`;
      happened(`${where} ${who} after ${away} s: ${what}.`, 'good');
    }
    lostAt = 0;
  },
  message(message) {
    const isReplayed = lostAt !== 0;
    const { missing, isTwice } = tally.take(message, isReplayed);
    processes.took(message, { missing, isReplayed });
    if (isReplayed) replayed += 1;
    if (message.text !== null && !isTwice) showMessage(message);
    showTally();
  },
  process: (process) => {
    const news = processes.heard(process);
    if (news) happened(news);
  },
  tabs(counts) {
    $('tabs').textContent = processes.showTabs(counts);
  },
  redis({ state }) {
    const words = { ready: 'Redis answers again.', down: 'Redis is away: messages wait.' };
    if (state !== $('redis').dataset.state) happened(words[state], state === 'down' ? 'bad' : '');
    showRedis(state);
  },
  'fanline:reset'() {
    tally.begin(here?.at ?? Date.now());
    happened('What this tab missed is not kept any more: it counts anew.', 'bad');
  },
};

function connect() {
  const source = new EventSource('events');
  for (const [name, handle] of Object.entries(handlers)) {
    source.addEventListener(name, ({ data }) => handle(data === '' ? null : JSON.parse(data)));
  }
  source.addEventListener('error', () => {
    if (lostAt === 0 && here !== null) {
      lostAt = Date.now();
      replayed = 0;
      happened(`The connection to process ${here.process} has ended.`, 'bad');
    }
    processes.left();
    showState('connecting', 'Connecting…');
    if (source.readyState === EventSource.CLOSED) setTimeout(connect, 3_000); // an answer that is no stream
  });
}

// ---- What is shown -----------------------------------------------------------------------------

function happened(words, kind = '') {
  const line = element('p', { textContent: words });
  addLine($('events'), [showTime(Date.now()), line], KEPT).dataset.kind = kind;
}

function showMessage({ process, n, text, at }) {
  $('silence').hidden = true;
  const letter = element('span', { className: 'letter', textContent: process });
  const words = element('p', { textContent: text });
  const aside = element('span', { className: 'number' });
  aside.append(`${n} · `, showTime(at));
  addLine($('messages'), [letter, words, aside], KEPT);
}

function showTally() {
  for (const name of ['received', 'missing', 'twice', 'replayed']) {
    $(name).textContent = tally[name];
  }
  for (const name of ['missing', 'twice']) $(name).classList.toggle('bad', tally[name] > 0);
}

function showRedis(state) {
  $('redis').dataset.state = state;
  $('redis').textContent = state === 'ready' ? 'Redis answers' : 'Redis is away';
}

function showState(state, words) {
  $('state').dataset.state = state;
  $('state').textContent = words;
}

setInterval(() => {
  for (const news of processes.look()) happened(news, 'bad');
}, 500);

// ---- Requests ----------------------------------------------------------------------------------

async function post(path, body) {
  const headers = { 'Content-Type': 'application/json' };
  const response = await fetch(path, { method: 'POST', headers, body: JSON.stringify(body ?? {}) });
  const answer = await response.json().catch(() => ({ error: 'The server does not answer' }));
  if (!response.ok) throw new Error(answer.error);
  return answer;
}

function answer(words, isBad = false) {
  $('answer').textContent = words;
  $('answer').classList.toggle('bad', isBad);
}

$('send').addEventListener('submit', async (event) => {
  event.preventDefault();
  const text = $('text').value;
  const waiting = setTimeout(answer, 500, 'Waits for Redis…');
  try {
    const { process, n } = await post('messages', { text });
    answer(`Taken by process ${process}, as its message ${n}.`);
    if ($('text').value === text) $('text').value = '';
  } catch (err) {
    answer(`Not known to be sent: ${err.message}`, true);
  } finally {
    clearTimeout(waiting);
  }
});

async function kill(name) {
  try {
    await post(`kill/${name}`);
    happened(`kill -9 ${name === 'redis' ? 'Redis' : `process ${name}`}`);
  } catch (err) {
    happened(`Not killed: ${err.message}`, 'bad');
  }
}

$('kill-redis').addEventListener('click', () => kill('redis'));
connect();
