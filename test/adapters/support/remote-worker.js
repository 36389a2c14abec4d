'use strict';

// A worker that holds links for the test, which is its primary: what the hub of a link would be told goes to the test, and what the
// test asks of it goes to the link. Bytes travel as they are (the test has chosen `serialization: 'advanced'`).

const makeAdapter = require(process.env.ADAPTER);

let link;
const taken = new Map(); // number → resolve, of received() and lost()
let last = 0;

const say = (...what) => process.connected && process.send(what);
function sayAndWait(...what) {
  return new Promise((resolve) => {
    taken.set(++last, resolve);
    say(...what, last);
  });
}

const DOES = {
  open(options, name) {
    link = makeAdapter(options).open({
      process: name,
      started: (id) => say('started', id),
      received: (entries) => sayAndWait('received', entries),
      lost: (id) => sayAndWait('lost', id),
      answered: (text) => say('answered', text),
      state: (state, error) => say('state', state, error?.message),
    });
  },
  taken(n) {
    taken.get(n)();
    taken.delete(n);
  },
  async ask(n, verb, args) {
    try {
      say('done', n, await link[verb](...args));
    } catch (err) {
      say('failed', n, err.message);
    }
  },
};

process.on('message', ([verb, ...args]) => DOES[verb](...args));
