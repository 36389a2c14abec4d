'use strict';

const assert = require('node:assert/strict');
const { LIBS } = require('./support');

const EXTRA = ['hub'];

describe('The exports of fanline/compat/better-sse', () => {
  it('are those of better-sse and the hub, for require and import', async () => {
    const [[, theirs], [, ours]] = LIBS;
    const wanted = [...Object.keys(theirs), ...EXTRA].sort();
    assert.deepEqual(Object.keys(ours).sort(), wanted);
    const imported = await import('fanline/compat/better-sse');
    assert.deepEqual(Object.keys(imported).sort(), wanted);
    for (const name of wanted) assert.equal(imported[name], ours[name]);
  });

  it('are classes of which the same methods can be used', () => {
    const [[, theirs], [, ours]] = LIBS;
    for (const make of [(lib) => lib.createEventBuffer(), (lib) => lib.createChannel()]) {
      const [their, our] = [make(theirs), make(ours)];
      const names = new Set([
        ...Object.keys(their),
        ...Object.getOwnPropertyNames(their.constructor.prototype),
      ]);
      const functions = [...names].filter((name) => typeof their[name] === 'function');
      const inner = ['writeField', 'serialize', 'sanitize']; // private in its types
      for (const name of functions.filter((it) => !inner.includes(it))) {
        assert.equal(typeof our[name], 'function', name);
      }
    }
  });

  it('can be extended, and their methods overridden', () => {
    const { EventBuffer } = LIBS[1][1];
    class Own extends EventBuffer {
      push(data) {
        return super.push(data, 'own', 'id');
      }
    }
    const buffer = new Own().push(1).push(2);
    assert.equal(buffer.read(), 'event:own\nid:id\ndata:1\n\nevent:own\nid:id\ndata:2\n\n');
  });
});
