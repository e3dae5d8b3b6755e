import assert from 'node:assert/strict';
import { test } from 'node:test';
import { onPageSignal } from './page-lifecycle.js';
import type { PageSignal } from './platform.js';

const transition = (type: string, persisted: boolean): Event => Object.assign(new Event(type), { persisted });

function setUp() {
  // What both have of a prototype is asked of the document's.
  const doc = Object.assign(new EventTarget(), { visibilityState: 'visible' });
  class Document extends EventTarget {
    get visibilityState(): string {
      return doc.visibilityState;
    }
  }
  const win = Object.assign(new EventTarget(), { document: doc, Document });
  const heard: PageSignal[] = [];
  const listenTo = (listener: (signal: PageSignal) => void, isFirst = false) =>
    onPageSignal(win as never, listener, isFirst);
  const stop = listenTo((signal) => void heard.push(signal));
  return { win, doc, heard, listenTo, stop };
}

test('page lifecycle: each row of the table', () => {
  const { win, doc, heard } = setUp();
  win.dispatchEvent(new Event('beforeunload'));
  doc.visibilityState = 'hidden';
  doc.dispatchEvent(new Event('visibilitychange'));
  win.dispatchEvent(transition('pagehide', true));
  win.dispatchEvent(transition('pageshow', true));
  win.dispatchEvent(transition('pageshow', false));
  doc.dispatchEvent(new Event('freeze'));
  doc.dispatchEvent(new Event('resume'));
  doc.visibilityState = 'visible';
  doc.dispatchEvent(new Event('visibilitychange'));
  win.dispatchEvent(transition('pagehide', false));
  assert.deepEqual(heard, [
    'unloading',
    'hidden',
    'cached',
    'visible',
    'cached',
    'visible',
    'visible',
    'leaving',
  ]);
});

test('page lifecycle: nothing that keeps a page out of the bfcache', () => {
  const types: string[] = [];
  class Document {
    addEventListener(type: string, _listener: unknown, options?: { capture?: boolean }): void {
      types.push(type);
      assert.equal(options?.capture, true);
    }
    removeEventListener(): void {}
  }
  const document = new Document();
  onPageSignal(Object.assign(new Document(), { document, Document }) as never, () => {});
  assert.deepEqual(types.sort(), [
    'beforeunload',
    'freeze',
    'pagehide',
    'pageshow',
    'resume',
    'visibilitychange',
  ]);
});

test('page lifecycle: a page that stops the event does not stop us, and stop does', () => {
  const { win, heard, stop } = setUp();
  win.addEventListener('pagehide', (event) => event.stopImmediatePropagation());
  win.dispatchEvent(transition('pagehide', false));
  assert.deepEqual(heard, ['leaving']);
  stop();
  stop();
  win.dispatchEvent(transition('pagehide', false));
  assert.deepEqual(heard, ['leaving']);
});

test('page lifecycle: who ends spans hears before who sends them, though it came later', () => {
  const { win, heard, listenTo, stop } = setUp();
  const stopFirst = listenTo(() => void heard.push('unloading'), true);
  win.dispatchEvent(transition('pagehide', false));
  assert.deepEqual(heard.slice(0, 2), ['unloading', 'leaving']);
  stopFirst();
  win.dispatchEvent(transition('pagehide', false));
  assert.deepEqual(heard.slice(3), ['leaving']);
  stop();
});
