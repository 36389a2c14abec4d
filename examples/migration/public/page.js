// One EventSource, as every browser has it: it comes back by itself, and says which event it saw last.

const KINDS = ['card', 'note']; // besides goals
const SHOWN = 50; // lines of a match

const byId = (id) => document.getElementById(id);
const cards = new Map(); // match → { names, parts }

function element(name, className, text = '') {
  return Object.assign(document.createElement(name), { className, textContent: text });
}

function makeCard({ match, home, away }) {
  const card = byId('match').content.cloneNode(true).firstElementChild;
  const part = (selector) => card.querySelector(selector);
  part('h2').textContent = `${home} – ${away}`;
  part('.home').textContent = home;
  part('.away').textContent = away;
  part('.lines').setAttribute('aria-label', `Reports from ${home} – ${away}`);

  const [what, words] = [part('select'), part('input')];
  what.id = `what-${match}`;
  words.id = `words-${match}`;
  [...card.querySelectorAll('label')].forEach((label, i) => {
    label.htmlFor = [what, words][i].id;
  });
  what.append(new Option(`Goal ${home}`, 'home'), new Option(`Goal ${away}`, 'away'));
  what.append(...KINDS.map((kind) => new Option(kind[0].toUpperCase() + kind.slice(1), kind)));
  const hint = () => {
    words.placeholder = KINDS.includes(what.value) ? 'What happened?' : 'Who scored?';
  };
  what.addEventListener('change', hint);
  hint();

  part('form').addEventListener('submit', async (event) => {
    event.preventDefault();
    const { value } = words;
    const problem = KINDS.includes(what.value)
      ? await post(`matches/${match}/lines`, { kind: what.value, text: value })
      : await post(`matches/${match}/goals`, { side: what.value, by: value });
    part('.problem').hidden = !problem;
    part('.problem').textContent = problem ?? '';
    if (!problem) words.value = '';
  });
  cards.set(match, { card, part, names: { home, away } });
  return card;
}

/** @returns {Promise<string|null>} what is wrong */
async function post(path, fields) {
  const headers = { 'Content-Type': 'application/json' };
  try {
    const answer = await fetch(path, { method: 'POST', headers, body: JSON.stringify(fields) });
    return answer.ok ? null : (await answer.json()).error;
  } catch {
    return 'The server cannot be reached';
  }
}

// ---- What is shown -----------------------------------------------------------------------------

function showScore(match, [home, away], isNew) {
  const goals = cards.get(match).part('.goals');
  goals.textContent = `${home} : ${away}`;
  goals.classList.remove('new');
  if (isNew) requestAnimationFrame(() => goals.classList.add('new'));
}

function addLine(match, kind, text) {
  const lines = cards.get(match).part('.lines');
  lines.querySelector('.none')?.remove();
  const badge = element('span', kind === 'card' ? 'badge warn' : 'badge', kind);
  const time = element(
    'time',
    'numbers',
    new Date().toLocaleTimeString([], { timeStyle: 'short' }),
  );
  const item = element('li', '');
  item.append(badge, element('span', 'text', text), time);
  lines.prepend(item);
  while (lines.childElementCount > SHOWN) lines.lastElementChild.remove();
}

function showState(state, words) {
  byId('state').dataset.state = state;
  byId('state').textContent = words;
}

// ---- The stream --------------------------------------------------------------------------------

const handlers = {
  scores(list) {
    for (const { match, score } of list) showScore(match, score);
  },
  goal({ match, side, by, score }) {
    showScore(match, score, true);
    addLine(match, 'goal', `${by}, for the ${cards.get(match).names[side]}`);
  },
  watching({ match, count }) {
    cards.get(match).part('.watching').textContent = `${count} watching`;
  },
};
for (const kind of KINDS) handlers[kind] = ({ match, text }) => addLine(match, kind, text);

function listen() {
  const source = new EventSource(`events${location.search}`);
  for (const [name, handle] of Object.entries(handlers)) {
    source.addEventListener(name, ({ data }) => handle(JSON.parse(data)));
  }
  source.onopen = () => showState('live', 'Live');
  source.onerror = () => {
    if (source.readyState === EventSource.CLOSED) showState('ended', 'Ended');
    else showState('connecting', 'Reconnecting…');
  };
}

// ---- The page ----------------------------------------------------------------------------------

const [matches, { step }] = await Promise.all(
  ['matches', 'step'].map(async (path) => (await fetch(path)).json()),
);
byId('step').textContent = step;

const chosen = new URLSearchParams(location.search).getAll('match');
const shown = matches.filter(({ match }) => chosen.length === 0 || chosen.includes(match));
const choices = [['All matches', '?', chosen.length === 0]];
for (const { match, home, away } of matches) {
  choices.push([
    `${home} – ${away}`,
    `?match=${match}`,
    chosen.length === 1 && chosen[0] === match,
  ]);
}
for (const [text, href, isCurrent] of choices) {
  const link = Object.assign(element('a', '', text), { href });
  if (isCurrent) link.setAttribute('aria-current', 'page');
  byId('choice').append(link);
}
document.querySelector('main').classList.toggle('wide', shown.length > 1);
byId('matches').classList.toggle('one', shown.length === 1);
byId('matches').append(...shown.map(makeCard));
listen();
