import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createNotes } from './notes.js';

/** As much of `localStorage` as notes use; `room` in characters of all texts. */
function storage(room = 100): Storage {
  const texts = new Map<string, string>();
  return {
    get length() {
      return texts.size;
    },
    key: (index: number) => [...texts.keys()][index] ?? null,
    getItem: (name: string) => texts.get(name) ?? null,
    removeItem: (name: string) => void texts.delete(name),
    setItem(name: string, text: string) {
      if ([...texts.values(), text].join('').length > room) throw new Error('QuotaExceededError');
      texts.set(name, text);
    },
  } as Storage;
}

test('notes: are kept, found by the beginning of their names, and deleted', () => {
  const notes = createNotes({ localStorage: Object.assign(storage(), { hung: 'on it' }) });
  assert.equal(notes?.set('our 1', 'one'), true);
  assert.equal(notes?.set('our 2', ''), true);
  assert.equal(notes?.set('foreign', 'x'), true);
  assert.deepEqual(notes?.names('our '), ['our 1', 'our 2']);
  assert.deepEqual(notes?.names(''), ['our 1', 'our 2', 'foreign']);
  assert.equal(notes?.get('our 2'), '');
  notes?.delete('our 1');
  assert.equal(notes?.get('our 1'), undefined);
  assert.deepEqual(notes?.names('our '), ['our 2']);
});

test('notes: one that does not fit is refused, and those before it stay', () => {
  const notes = createNotes({ localStorage: storage(5) });
  assert.equal(notes?.set('a', 'four'), true);
  assert.equal(notes?.set('b', 'four'), false);
  assert.deepEqual(notes?.names(''), ['a']);
});

test('notes: where there is no storage, or it is forbidden, there are none', () => {
  const forbidden = {
    get localStorage(): Storage {
      throw new Error('SecurityError');
    },
  };
  for (const scope of [{}, { localStorage: null as unknown as Storage }, forbidden]) {
    assert.equal(createNotes(scope), undefined);
  }
});

test('notes: a storage that begins to throw is an empty one', () => {
  let forbidden = false;
  const kept = storage();
  const notes = createNotes({
    localStorage: new Proxy(kept, {
      get(target, name) {
        if (forbidden) throw new Error('SecurityError');
        const value: unknown = Reflect.get(target, name);
        return typeof value === 'function' ? value.bind(target) : value;
      },
    }),
  });
  notes?.set('a', 'one');
  forbidden = true;
  assert.equal(notes?.set('b', 'two'), false);
  assert.equal(notes?.get('a'), undefined);
  assert.deepEqual(notes?.names(''), []);
  notes?.delete('a');
  forbidden = false;
  assert.equal(notes?.get('a'), 'one');
});

test('notes: what a page got from the getter goes on to work when the getter answers null', () => {
  let isClosing = false;
  const kept = storage();
  const notes = createNotes({
    get localStorage() {
      return isClosing ? (null as never) : kept;
    },
  });
  isClosing = true;
  assert.equal(notes?.set('a', 'one'), true);
  assert.equal(notes?.get('a'), 'one');
});
