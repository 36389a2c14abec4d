// Both halves of the page: a task that lives with its stream, and the jobs, whose one stream tells of all of them.

const $ = (id) => document.getElementById(id);
const query = (form) => new URLSearchParams(new FormData(form));

// ---- While you wait: one EventSource for one task ------------------------------------------------

let task = null;

/** Shows where the task is, and how it ended. */
function showTask(state, text) {
  $('task-bar').closest('.card').dataset.state = state;
  $('task-text').textContent = text;
  $('task-text').ariaLive = state === 'running' ? 'off' : 'polite'; // each step would be read aloud
  $('convert-button').textContent = state === 'running' ? 'Cancel' : 'Convert';
}

function endTask(state, text) {
  task.close(); // an EventSource that is not closed would ask for the task once more
  task = null;
  showTask(state, text);
}

function startTask() {
  $('task-bar').value = 0;
  showTask('running', 'Starting…');
  task = new EventSource(`convert?${query($('convert'))}`);
  task.addEventListener('progress', ({ data }) => {
    const { page, pages } = JSON.parse(data);
    Object.assign($('task-bar'), { max: pages, value: page });
    $('task-text').textContent = `Page ${page} of ${pages}`;
  });
  task.addEventListener('done', ({ data }) =>
    endTask('done', `Done: ${JSON.parse(data).pages} pages.`),
  );
  task.addEventListener('failed', ({ data }) =>
    endTask('failed', `It failed. ${JSON.parse(data).error}.`),
  );
  task.onerror = () => endTask('failed', 'The connection broke off, and the task with it.');
}

$('convert').addEventListener('submit', (event) => {
  event.preventDefault();
  if (task) endTask('cancelled', `Cancelled. The server stopped at page ${$('task-bar').value}.`);
  else startTask();
});

// ---- In the background: one EventSource for all jobs ---------------------------------------------

const WORDS = { running: 'running', done: 'done', failed: 'failed', cancelled: 'cancelled' };
const rows = new Map(); // id of a job → its element

function rowOf({ id, name }) {
  if (rows.has(id)) return rows.get(id);
  const row = $('job').content.firstElementChild.cloneNode(true);
  row.querySelector('.name').textContent = name;
  row.querySelector('progress').setAttribute('aria-label', name);
  const button = row.querySelector('.cancel');
  button.setAttribute('aria-label', `Cancel ${name}`);
  button.onclick = () => ask(`jobs/${id}`, { method: 'DELETE' });
  rows.set(id, row);
  $('jobs').prepend(row);
  $('empty').hidden = true;
  return row;
}

function showJob(job) {
  const { page, pages, state, error } = job;
  const row = rowOf(job);
  row.dataset.state = state;
  Object.assign(row.querySelector('progress'), {
    max: pages,
    value: state === 'done' ? pages : page,
  });
  const badge = row.querySelector('.badge');
  badge.textContent = WORDS[state];
  badge.className = `badge ${{ failed: 'bad', cancelled: 'warn' }[state] ?? ''}`;
  row.querySelector('.cancel').hidden = state !== 'running';
  row.querySelector('.detail').textContent = error ? `${error}.` : `Page ${page} of ${pages}`;
}

function showState(state, text) {
  $('state').dataset.state = state;
  $('state').textContent = text;
}

const source = new EventSource('jobs');
source.addEventListener('jobs', ({ data }) => {
  for (const row of rows.values()) row.remove();
  rows.clear();
  for (const job of JSON.parse(data)) showJob(job);
  $('empty').hidden = rows.size > 0;
});
source.addEventListener('job', ({ data }) => showJob(JSON.parse(data)));
source.onopen = () => showState('live', 'Live');
source.onerror = () => {
  if (source.readyState === EventSource.CLOSED) showState('ended', 'Ended. Reload the page');
  else showState('connecting', 'Connecting…');
};

async function ask(url, init) {
  let problem = '';
  try {
    const answer = await fetch(url, init);
    if (!answer.ok) problem = (await answer.json()).error;
  } catch {
    problem = 'The server cannot be reached';
  }
  $('notice').textContent = problem && `${problem}.`;
  $('notice').hidden = problem === '';
}

$('order').addEventListener('submit', (event) => {
  event.preventDefault();
  const order = Object.fromEntries(query(event.target));
  const headers = { 'Content-Type': 'application/json' };
  ask('jobs', { method: 'POST', headers, body: JSON.stringify(order) });
});
